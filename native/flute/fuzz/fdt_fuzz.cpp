#include <cstdint>

#include "flute/src/fdt_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static_cast<void>(streamverse::flute::ParseFdt({reinterpret_cast<const char*>(data), size}));
    return 0;
}
