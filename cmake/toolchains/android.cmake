# 64-bit Arm Android with the NDK, which ANDROID_NDK names (a variable, or of the environment). Nothing was built with this file so
# far, and nothing was proven: docs/platforms.md says what is known.
#
#   cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/android.cmake -DFIREFINCH_APPS=OFF -DFIREFINCH_TESTS=OFF -DFIREFINCH_SHADER_RELOAD=OFF
#         -DFIREFINCH_EXAMPLES=OFF -DFIREFINCH_ANDROID_PREFIX=PREFIX
#
# fmt, nlohmann-json, libzip, PCRE2 and utf8proc are looked for in PREFIX, built with this file too.
if(NOT ANDROID_NDK)
  set(ANDROID_NDK "$ENV{ANDROID_NDK}")
endif()
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANDROID_NDK ANDROID_ABI ANDROID_PLATFORM FIREFINCH_ANDROID_PREFIX)
if(NOT EXISTS "${ANDROID_NDK}/build/cmake/android.toolchain.cmake")
  message(FATAL_ERROR "ANDROID_NDK=\"${ANDROID_NDK}\" has no build/cmake/android.toolchain.cmake: it names no Android NDK")
endif()
if(NOT ANDROID_ABI)
  set(ANDROID_ABI arm64-v8a)
endif()
if(NOT ANDROID_PLATFORM)
  set(ANDROID_PLATFORM android-29) # most devices have Vulkan 1.1 from there on
endif()
if(NOT ANDROID_STL)
  set(ANDROID_STL c++_static)
endif()
list(APPEND CMAKE_FIND_ROOT_PATH ${FIREFINCH_ANDROID_PREFIX})
set(ENV{PKG_CONFIG_LIBDIR} ${FIREFINCH_ANDROID_PREFIX}/lib/pkgconfig) # not the machine's own
include("${ANDROID_NDK}/build/cmake/android.toolchain.cmake")
# std::jthread, which is used, is in an experimental part of the NDK's C++ library before r29.
if(ANDROID_NDK_MAJOR AND ANDROID_NDK_MAJOR LESS 29)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fexperimental-library>)
  add_link_options(-fexperimental-library)
endif()
