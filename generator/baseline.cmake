# The baseline set: every target of this architecture that has default schedules, as one static
# library made by the program TRIT_BASELINE_GENERATOR: this build's own, or for a cross build the
# host's. The runtime's table of linked libraries reads the two properties.
set(baseline_keys "")
file(GLOB tuned CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/schedules/tuned/*.txt)
foreach(source IN LISTS tuned)
  get_filename_component(key ${source} NAME_WE)
  file(STRINGS ${PROJECT_SOURCE_DIR}/targets/${key}/target.inc arch_line REGEX "\\.arch")
  string(REGEX MATCH "\"(.*)\"" arch "${arch_line}")
  string(REPLACE "-" "_" arch "${CMAKE_MATCH_1}")
  if(arch STREQUAL CMAKE_SYSTEM_PROCESSOR)
    list(APPEND baseline_keys ${key})
  endif()
endforeach()
if(NOT baseline_keys)
  return()
endif()
set(baseline ${PROJECT_BINARY_DIR}/generator/libtrit_baseline_kernels.a)
set(emulator "")  # a toolkit built for another machine runs there
if(CMAKE_CROSSCOMPILING AND TRIT_TOOLKIT)
  set(emulator ${CMAKE_CROSSCOMPILING_EMULATOR})
endif()
add_custom_command(OUTPUT ${baseline}
  COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 ${emulator} ${TRIT_BASELINE_GENERATOR}
    ${baseline} ${baseline_keys}
  DEPENDS ${TRIT_BASELINE_GENERATOR} COMMENT "Generating the baseline kernels: ${baseline_keys}"
  VERBATIM)
add_custom_target(trit_baseline_archive DEPENDS ${baseline})
add_library(trit_baseline_kernels STATIC IMPORTED GLOBAL)
set_target_properties(trit_baseline_kernels PROPERTIES IMPORTED_LOCATION ${baseline})
add_dependencies(trit_baseline_kernels trit_baseline_archive)
set_property(GLOBAL PROPERTY TRIT_LINKED_KEYS ${baseline_keys})
set_property(GLOBAL PROPERTY TRIT_LINKED_OBJECTS trit_baseline_kernels)
