// A stream of bytes in portions: TS packets, pseudo packets around BBFRAMEs, or BBFRAMEs, found and read.
#include "link/fuzz/packet_builder.hpp"

using namespace streamverse::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Deaf listener;
    Bytes rest(data, size);
    const size_t portion = size == 0 ? 1 : 1 + rest[0] * 8u;
    Selection selection;
    selection.pids = {{4097, Encapsulation::kMpe}, {4098, Encapsulation::kUle}};
    LinkDecoder decoder(listener, selection, 0);
    for (rest = size == 0 ? rest : rest.subspan(1); !rest.empty();) {
        const size_t now = std::min(portion, rest.size());
        decoder.OnBytes(rest.first(now));
        rest = rest.subspan(now);
    }
    return 0;
}
