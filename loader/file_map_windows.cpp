// FileMap for Windows. Names are in the process's code page, as those of fopen are: UTF-8 where its manifest says so.
#include "loader/file_map.h"

#include "loader/text.h"

#include <fmt/format.h>
#include <system_error>
#define WIN32_LEAN_AND_MEAN
#ifndef NOMINMAX // libstdc++ has it
#define NOMINMAX
#endif
#include <windows.h>

namespace ff::loader {
namespace {

std::string reason(DWORD error) {
    return std::system_category().message(static_cast<int>(error));
}

struct Handle {
    HANDLE handle;
    ~Handle() {
        if (handle != nullptr && handle != INVALID_HANDLE_VALUE) CloseHandle(handle);
    }
};

} // namespace

Result<FileMap> FileMap::open(const std::string &path) {
    const std::string name = printable(path);
    if (path.empty()) return Error{Status::io, "no file: the name given is empty"};
    if (path.find('\0') != std::string::npos)
        return Error{Status::io, fmt::format("{}: a file name cannot contain a zero byte", name)};
    const DWORD attributes = GetFileAttributesA(path.c_str());
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
        return Error{Status::io, fmt::format("{}: this is a directory, expected a file", name)};
    const Handle file{CreateFileA(path.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING,
                                  FILE_FLAG_SEQUENTIAL_SCAN, nullptr)};
    if (file.handle == INVALID_HANDLE_VALUE)
        return Error{Status::io, fmt::format("{}: cannot open the file: {}", name, reason(GetLastError()))};
    if (GetFileType(file.handle) != FILE_TYPE_DISK)
        return Error{Status::io, fmt::format("{}: this is a device or pipe, expected a regular file", name)};
    LARGE_INTEGER size{};
    if (!GetFileSizeEx(file.handle, &size))
        return Error{Status::io, fmt::format("{}: cannot read the size of the file: {}", name, reason(GetLastError()))};
    if (size.QuadPart <= 0)
        return Error{Status::io, fmt::format("{}: the file is empty (0 bytes); was the download cut short?", name)};
    if (static_cast<std::uint64_t>(size.QuadPart) > SIZE_MAX)
        return Error{Status::io,
                     fmt::format("{}: the file has {} bytes, more than this system can map", name, size.QuadPart)};
    const Handle mapping{CreateFileMappingA(file.handle, nullptr, PAGE_READONLY, 0, 0, nullptr)};
    void *const address = mapping.handle == nullptr ? nullptr : MapViewOfFile(mapping.handle, FILE_MAP_READ, 0, 0, 0);
    if (address == nullptr)
        return Error{Status::io, fmt::format("{}: cannot map {} bytes: {}", name, size.QuadPart, reason(GetLastError()))};
    return FileMap(address, static_cast<std::size_t>(size.QuadPart)); // the view keeps the mapping
}

FileMap::~FileMap() {
    if (address_ != nullptr) UnmapViewOfFile(address_);
}

} // namespace ff::loader
