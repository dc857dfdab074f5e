add_node_addon(notify notify/src/addon.cpp)
