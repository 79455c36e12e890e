include(${CMAKE_CURRENT_LIST_DIR}/TritforgeTargets.cmake)
