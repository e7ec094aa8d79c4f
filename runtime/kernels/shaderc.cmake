# firefinch_find_shaderc(OUT): what links the shader compiler. Debian's libshaderc.so names no library it needs and cannot be
# linked by itself; the static one can, with these.
function(firefinch_find_shaderc out)
  set(libraries)
  foreach(name IN ITEMS shaderc_combined glslang MachineIndependent GenericCodeGen OSDependent OGLCompiler HLSL SPIRV
          SPIRV-Tools-opt SPIRV-Tools)
    find_library(FIREFINCH_${name} NAMES lib${name}.a ${name})
    if(NOT FIREFINCH_${name})
      message(FATAL_ERROR "lib${name} is missing: install libshaderc-dev, glslang-dev and spirv-tools, which "
              "FIREFINCH_SHADER_RELOAD and the tests need")
    endif()
    list(APPEND libraries ${FIREFINCH_${name}})
  endforeach()
  list(JOIN libraries "," group)
  set(${out} "$<LINK_GROUP:RESCAN,${group}>" PARENT_SCOPE)
endfunction()
