add_native_core(broker_guard_core broker/src/topic_guard.cpp)

# mosquitto loads it by its path. Only where a broker runs are its headers needed: a box is built without.
find_path(MOSQUITTO_INCLUDE_DIR mosquitto_plugin.h)
if(MOSQUITTO_INCLUDE_DIR)
    add_library(broker_guard MODULE broker/src/plugin.cpp)
    set_target_properties(broker_guard PROPERTIES
        PREFIX "" SUFFIX ".so" OUTPUT_NAME guard LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/broker)
    target_include_directories(broker_guard SYSTEM PRIVATE ${MOSQUITTO_INCLUDE_DIR})
    target_link_libraries(broker_guard PRIVATE broker_guard_core)
endif()

add_native_test(broker_topic_guard_test broker/test/topic_guard_test.cpp)
if(BUILD_TESTING)
    target_link_libraries(broker_topic_guard_test PRIVATE broker_guard_core)
endif()
