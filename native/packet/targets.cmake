add_native_core(packet_core
    packet/src/endpoint.cpp
    packet/src/pacer.cpp
    packet/src/receive_thread.cpp
    packet/src/send_thread.cpp
    packet/src/udp_receiver.cpp
    packet/src/udp_sender.cpp)
add_node_addon(packet packet/src/addon.cpp)
if(TARGET packet_addon)
    target_link_libraries(packet_addon PRIVATE packet_core)
endif()

foreach(name pacer udp)
    add_native_test(packet_${name}_test packet/test/${name}_test.cpp)
    if(BUILD_TESTING)
        target_link_libraries(packet_${name}_test PRIVATE packet_core)
    endif()
endforeach()
