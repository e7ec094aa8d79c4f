# 64-bit Arm Linux with Debian's crossbuild-essential-arm64 and its libraries as foreign packages (dpkg --add-architecture arm64).
# Programs run here through qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
find_program(FIREFINCH_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(FIREFINCH_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FIREFINCH_QEMU})
endif()
