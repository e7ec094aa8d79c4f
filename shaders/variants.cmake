# variants.def as CMake reads it, for the build and for regenerate-spirv.cmake.
set(FIREFINCH_SHADERS ${CMAKE_CURRENT_LIST_DIR})
set(FIREFINCH_GLSLC_OPTIONS --target-env=vulkan1.1 -O -I${FIREFINCH_SHADERS})

# Sets kernel, name, needs, source (in this folder) and definitions.
macro(firefinch_read_row row)
  if(NOT "${row}" MATCHES "^FF_VARIANT\\(([a-z0-9_]+), ([a-z0-9_]+), ([a-z0-9_]+), ?([A-Z0-9_ ]*)\\)$")
    message(FATAL_ERROR "shaders/variants.def: cannot read the row ${row}")
  endif()
  set(kernel ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_1}_${CMAKE_MATCH_2})
  set(needs ${CMAKE_MATCH_3})
  string(REPLACE " " ";" definitions "${CMAKE_MATCH_4}")
  list(TRANSFORM definitions PREPEND -D)
  set(source ${kernel}.comp)
  if(needs STREQUAL coopmat)
    set(source ${kernel}_coopmat.comp)
  endif()
endmacro()

# Whether glslc knows cooperative matrices: Debian 12's (2023.2) does not, Debian 13's (2025.2) does. Leaves the SPIR-V of a
# little shader that has one at `spirv`.
function(firefinch_glslc_knows_coopmat glslc spirv out)
  set(probe ${spirv}.comp)
  file(WRITE ${probe} [[#version 450
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
layout(set = 0, binding = 0) buffer Data { float data[]; };
void main() {
    coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> sum;
    coopMatLoad(sum, data, 0, 16, gl_CooperativeMatrixLayoutRowMajor);
    coopMatStore(sum, data, 256, 16, gl_CooperativeMatrixLayoutRowMajor);
}
]])
  execute_process(COMMAND ${glslc} --target-env=vulkan1.1 ${probe} -o ${spirv}
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(${out} TRUE PARENT_SCOPE)
  else()
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Of interface.h, the constants and structures that `text` names: what other kernels change there does not concern it.
function(firefinch_named_interface text out)
  file(READ ${FIREFINCH_SHADERS}/lib/interface.h interface)
  string(REPLACE ";" "," interface "${interface}") # separates lists
  string(REGEX MATCHALL "const uint [^\n]*|struct [A-Za-z0-9]+ {[^}]*}" parts "${interface}")
  set(named)
  foreach(part IN LISTS parts)
    string(REGEX REPLACE "^struct ([A-Za-z0-9]+).*$" "\\1" structure "${part}")
    string(REGEX MATCHALL "k[A-Z][A-Za-z0-9]* =" constants "${part}")
    foreach(name IN LISTS structure constants)
      string(REPLACE " =" "" name "${name}")
      string(FIND "${text}" "${name}" found)
      if(NOT found EQUAL -1)
        string(APPEND named "${part}\n")
        break()
      endif()
    endforeach()
  endforeach()
  set(${out} "${named}" PARENT_SCOPE)
endfunction()

# A hash of everything that a row's SPIR-V is compiled from: the shader, what it includes, the definitions. Sets
# `out`, and `out`_files.
function(firefinch_source_hash source definitions out)
  set(queue ${source})
  set(seen)
  set(text)
  while(queue)
    list(POP_FRONT queue file)
    if(file IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${file})
    if(NOT file STREQUAL lib/interface.h)
      file(READ ${FIREFINCH_SHADERS}/${file} content)
      string(APPEND text "${content}")
      file(STRINGS ${FIREFINCH_SHADERS}/${file} includes REGEX "^#include \"")
      foreach(line IN LISTS includes)
        string(REGEX REPLACE "^#include \"([^\"]+)\".*$" "\\1" included "${line}")
        list(APPEND queue ${included})
      endforeach()
    endif()
  endwhile()
  firefinch_named_interface("${text}" interface)
  string(SHA256 hash "${definitions}\n${text}${interface}")
  set(${out} ${hash} PARENT_SCOPE)
  set(${out}_files ${seen} PARENT_SCOPE)
endfunction()
