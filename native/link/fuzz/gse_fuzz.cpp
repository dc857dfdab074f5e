// Data fields of GSE, each after its 16-bit length; a field that is empty lets 300 frames go by.
#include "link/fuzz/packet_builder.hpp"

using namespace streamverse::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr int kManyFrames = 300;
    fuzz::Deaf listener;
    ReceiveContext context{listener, {}};
    GseReader reader;
    for (Bytes rest(data, size); rest.size() > 2;) {
        const Bytes field = fuzz::TakePart(rest);
        for (int frame = 0; frame < (field.empty() ? kManyFrames : 1); ++frame) {
            reader.Read(field, {}, context);
        }
    }
    return 0;
}
