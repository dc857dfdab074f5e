// The first byte chooses the encoding.
#include <cstdint>
#include <cstdlib>

#include "flute/src/inflate_body.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto body = streamverse::flute::InflateBody(data[0] % 5, {data + 1, size - 1}, 1 << 20);
    if (body && body->size() > (1 << 20)) {
        std::abort();
    }
    return 0;
}
