# firefinch_library(TARGET [STATIC|SHARED]) makes the library out of the objects of all rooms, so that a static one is a
# single archive and a second kind needs no second compilation; without a kind BUILD_SHARED_LIBS decides.
# firefinch_install_library(TARGET COMPONENT [EXCLUDE_FROM_ALL]) installs it with what its users need, as the package
# `firefinch`. What is installed can be moved.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(FIREFINCH_ROOMS firefinch_doctor firefinch_reference firefinch_engine firefinch_state_files firefinch_model firefinch_state_layout firefinch_kernels
    firefinch_shaders firefinch_gpu firefinch_loader)
set(FIREFINCH_RUNTIME_DIR ${CMAKE_CURRENT_LIST_DIR})

function(firefinch_library target)
  set(objects $<TARGET_OBJECTS:firefinch_api>)
  foreach(room IN LISTS FIREFINCH_ROOMS)
    list(APPEND objects $<TARGET_OBJECTS:${room}>)
  endforeach()
  add_library(${target} ${ARGN} ${objects})
  # Until 1.0 a minor version may change the ABI.
  set_target_properties(${target} PROPERTIES OUTPUT_NAME firefinch LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
                        SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR} EXPORT_NAME firefinch)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${FIREFINCH_RUNTIME_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE fmt::fmt libzip::zip ZLIB::ZLIB PkgConfig::pcre2 PkgConfig::utf8proc Threads::Threads
                        ${CMAKE_DL_LIBS} ${FIREFINCH_SHADERC})
  get_target_property(kind ${target} TYPE)
  if(kind STREQUAL "SHARED_LIBRARY" AND UNIX AND NOT APPLE)
    # Hidden visibility does not reach templates of the standard library, nor what static libraries bring along.
    target_link_options(${target} PRIVATE -Wl,--version-script=${FIREFINCH_RUNTIME_DIR}/exports.map)
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${FIREFINCH_RUNTIME_DIR}/exports.map)
  endif()
endfunction()

function(firefinch_install_library target component)
  get_target_property(kind ${target} TYPE)
  set(static FALSE)
  set(pc_scope "Requires.private")
  set(pc_libraries "")
  if(kind STREQUAL "STATIC_LIBRARY") # its users link what it is made with
    set(static TRUE)
    set(pc_scope "Requires")
    set(pc_libraries "-lstdc++ -lm -ldl -pthread")
  endif()
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/firefinch)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${component})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/firefinch-config.cmake.in ${made}/firefinch-config.cmake
                                INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${made}/firefinch-config-version.cmake COMPATIBILITY SameMinorVersion)
  file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/firefinch.pc.in ${made}/firefinch.pc @ONLY)
  install(TARGETS ${target} EXPORT ${component} COMPONENT ${component} ${ARGN})
  install(EXPORT ${component} NAMESPACE firefinch:: FILE firefinch-targets.cmake DESTINATION ${package_dir}
          COMPONENT ${component} ${ARGN})
  install(FILES ${made}/firefinch-config.cmake ${made}/firefinch-config-version.cmake DESTINATION ${package_dir}
          COMPONENT ${component} ${ARGN})
  install(FILES ${made}/firefinch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT ${component} ${ARGN})
  install(DIRECTORY ${FIREFINCH_RUNTIME_DIR}/include/firefinch DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT ${component} ${ARGN})
endfunction()
