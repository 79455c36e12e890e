# Installs the C package, builds a project against it as a stranger would, and runs its program.
#   cmake -DBINARY=<build tree> -DTRIT=<trit> -DSOURCE=<tests/capi/outside> -DC=<compiler>
#     -DGENERATOR=<of this build: the only build program that is sure to be there> -P this
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} ended with ${status}:\n${text}")
  endif()
endfunction()
set(work ${BINARY}/tests/capi/outside)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})
run(${CMAKE_COMMAND} --install ${BINARY} --prefix ${work}/prefix --component capi)
run(${TRIT} synth --preset tiny -o ${work}/tiny.gguf)
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE} -B ${work}/build -DCMAKE_PREFIX_PATH=${work}/prefix
  -DCMAKE_C_COMPILER=${C} -DCMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/generate ${work}/tiny.gguf "Once upon a time")
