# cmake -DLIST=FILE -DSYSTEM=NAME -P embed_spirv.cmake: makes of the modules that FILE lists, in its order, all.spv.gz, which is a
# fifth as large, and embedded.S, which brings it into the library (runtime/kernels/embedded_spirv.cpp reads it there) of a
# system that CMake calls NAME.
file(STRINGS ${LIST} files)
execute_process(COMMAND ${CMAKE_COMMAND} -E cat ${files} OUTPUT_FILE all.spv COMMAND_ERROR_IS_FATAL ANY)
file(ARCHIVE_CREATE OUTPUT all.spv.gz PATHS all.spv FORMAT raw COMPRESSION GZip COMPRESSION_LEVEL 9)
# Its first ten bytes tell the time: they stay out, for two builds are to be alike.
file(READ all.spv.gz header LIMIT 4 HEX)
if(NOT header STREQUAL "1f8b0800")
  message(FATAL_ERROR "all.spv.gz begins with ${header}: expected a gzip header without a file name, 1f8b0800")
endif()

set(private .hidden) # the library exports none of this
set(section ".section .rodata")
set(underscore "")
if(SYSTEM STREQUAL Windows)
  set(private "") # nothing is exported there that does not say so
  set(section ".section .rdata,\"dr\"")
elseif(SYSTEM STREQUAL Darwin)
  set(private .private_extern)
  set(section ".section __TEXT,__const")
  set(underscore _)
endif()
set(assembly "${section}\n")
foreach(symbol IN ITEMS ff_spirv_count ff_spirv_sizes ff_spirv_packed ff_spirv_packed_end)
  string(APPEND assembly ".globl ${underscore}${symbol}\n")
  if(private)
    string(APPEND assembly "${private} ${underscore}${symbol}\n")
  endif()
endforeach()
list(LENGTH files count)
string(APPEND assembly ".balign 4\n${underscore}ff_spirv_count:\n.long ${count}\n${underscore}ff_spirv_sizes:\n")
foreach(file IN LISTS files)
  file(SIZE ${file} size)
  string(APPEND assembly ".long ${size}\n")
endforeach()
string(APPEND assembly "${underscore}ff_spirv_packed:\n.incbin \"${CMAKE_CURRENT_BINARY_DIR}/all.spv.gz\", 10\n"
       "${underscore}ff_spirv_packed_end:\n.byte 0\n")
if(NOT SYSTEM MATCHES "^(Windows|Darwin)$")
  string(APPEND assembly ".section .note.GNU-stack,\"\",%progbits\n")
endif()
file(WRITE embedded.S "${assembly}")
