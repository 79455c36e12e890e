# trit_embed(<library>) with the list property TRIT_EMBED of pairs name;path: writes the table of
# embedded files and makes embedded.cpp depend on them.
function(trit_embed library)
  get_property(pairs GLOBAL PROPERTY TRIT_EMBED)
  set(text "")
  set(files "")
  set(number 0)
  while(pairs)
    list(POP_FRONT pairs name path)
    string(APPEND text "TRIT_FILE(${number}, \"${name}\", \"${path}\")\n")
    list(APPEND files ${path})
    math(EXPR number "${number} + 1")
  endwhile()
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generator/embedded_files.inc CONTENT "${text}" @ONLY)
  target_sources(${library} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/embed/embedded.cpp)
  set_source_files_properties(${CMAKE_CURRENT_SOURCE_DIR}/embed/embedded.cpp PROPERTIES
    OBJECT_DEPENDS "${files};${PROJECT_BINARY_DIR}/generator/embedded_files.inc")
endfunction()

function(trit_embed_file name path)
  set_property(GLOBAL APPEND PROPERTY TRIT_EMBED ${name} ${path})
endfunction()

# A C file as LLVM 19 bitcode, untouched by the optimiser, for each architecture kernels exist for.
find_program(TRIT_CLANG NAMES clang-19 REQUIRED)
set(TRIT_ARCHES x86-64 aarch64)
set(TRIT_TRIPLE_x86-64 x86_64-linux-gnu)
set(TRIT_TRIPLE_aarch64 aarch64-linux-gnu)

function(trit_embed_c folder source)
  get_filename_component(stem ${source} NAME_WE)
  foreach(arch IN LISTS TRIT_ARCHES)
    set(out ${PROJECT_BINARY_DIR}/generator/bitcode/${folder}/${stem}.${arch}.bc)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generator/bitcode/${folder}
      COMMAND ${TRIT_CLANG} --target=${TRIT_TRIPLE_${arch}} -std=c11 -O2 -Xclang
        -disable-llvm-passes -ffreestanding -fPIC -fno-stack-protector
        -fno-asynchronous-unwind-tables -fno-ident -Wall -Wextra -Werror
        -I${PROJECT_SOURCE_DIR} -emit-llvm -c ${source} -o ${out}
        -MD -MF ${out}.d
      DEPENDS ${source} DEPFILE ${out}.d VERBATIM)
    trit_embed_file(${folder}/${stem}.${arch}.bc ${out})
  endforeach()
endfunction()

# Micro-ops of a target: LLVM IR text -> bitcode that Halide's LLVM 14 reads.
# The data layout is what Halide's LLVM gives its modules; without it every link warns.
find_program(TRIT_LLVM_AS NAMES llvm-as-14 REQUIRED)
set(TRIT_LAYOUT_x86-64 "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-f80:128-n8:16:32:64-S128")
set(TRIT_LAYOUT_aarch64 "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128")
function(trit_embed_micro_ops target source)
  file(STRINGS ${PROJECT_SOURCE_DIR}/targets/${target}/target.inc line REGEX "\\.arch = ")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" arch "${line}")
  set(out ${PROJECT_BINARY_DIR}/generator/bitcode/micro_ops/${target}.bc)
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generator/bitcode/micro_ops
    COMMAND ${TRIT_LLVM_AS} --data-layout=${TRIT_LAYOUT_${arch}} ${source} -o ${out}
    DEPENDS ${source} VERBATIM)
  trit_embed_file(micro_ops/${target}.bc ${out})
endfunction()

# families/<family>/bodies/<kind>.c, a stage in C, for every target with micro_ops_<kind>.h: compiled
# with the target's features, so that its intrinsics are known.
function(trit_embed_body source)
  get_filename_component(kind ${source} NAME_WE)
  get_filename_component(family ${source} DIRECTORY)
  get_filename_component(family ${family} DIRECTORY)
  get_filename_component(family ${family} NAME)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/targets/*/micro_ops_${kind}.h)
  foreach(header IN LISTS headers)
    get_filename_component(folder ${header} DIRECTORY)
    get_filename_component(target ${folder} NAME)
    file(STRINGS ${folder}/target.inc arch REGEX "\\.arch = ")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" arch "${arch}")
    file(STRINGS ${folder}/target.inc features REGEX "\\.features = ")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" features "${features}")
    separate_arguments(features)
    set(flags "")
    foreach(feature IN LISTS features)
      if(NOT feature STREQUAL "svei8mm")  # clang's i8mm is both
        list(APPEND flags -Xclang -target-feature -Xclang +${feature})
      endif()
    endforeach()
    set(out ${PROJECT_BINARY_DIR}/generator/bitcode/bodies/${family}_${kind}.${target}.bc)
    add_custom_command(OUTPUT ${out}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/generator/bitcode/bodies
      COMMAND ${TRIT_CLANG} --target=${TRIT_TRIPLE_${arch}} ${flags} -std=c11 -O2 -Xclang
        -disable-llvm-passes -ffreestanding -fPIC -fno-stack-protector
        -fno-asynchronous-unwind-tables -fno-ident -Wall -Wextra -Werror
        -DTRIT_MICRO_OPS="targets/${target}/micro_ops_${kind}.h"
        -I${PROJECT_SOURCE_DIR} -emit-llvm -c ${source} -o ${out}
        -MD -MF ${out}.d
      DEPENDS ${source} DEPFILE ${out}.d VERBATIM)
    trit_embed_file(bodies/${family}_${kind}.${target}.bc ${out})
  endforeach()
endfunction()
