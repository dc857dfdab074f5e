# The sender; included by targets.cmake after flute_core, whose partition it shares.
add_native_core(flute_send_core
    flute/src/send_engine.cpp
    flute/src/send_job.cpp
    flute/src/send_packet.cpp
    flute/src/send_queue.cpp)
target_link_libraries(flute_send_core PUBLIC flute_core packet_core fec_core)

foreach(name job queue)
    add_native_test(flute_send_${name}_test flute/test/send_${name}_test.cpp)
    if(BUILD_TESTING)
        target_link_libraries(flute_send_${name}_test PRIVATE flute_send_core)
    endif()
endforeach()

# Measured against a bare UDP_SEGMENT loop by test/bench/send.bench.ts.
add_executable(send_bench flute/bench/send_bench.cpp)
target_link_libraries(send_bench PRIVATE flute_send_core)
