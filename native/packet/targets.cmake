add_native_core(packet_core
    packet/src/endpoint.cpp
    packet/src/pacer.cpp
    packet/src/udp_receiver.cpp
    packet/src/udp_sender.cpp)
