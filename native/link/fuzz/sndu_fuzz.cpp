// SNDUs of any content, each after its 16-bit length, with right CRCs and perhaps a wrong length.
#include "link/fuzz/packet_builder.hpp"

using namespace streamverse::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Deaf listener;
    ReceiveContext context{listener, {}};
    Selection selection;
    selection.pids = {{4098, Encapsulation::kUle}};
    TransportDemux demux(context, selection, kNowhere);
    uint8_t continuity = 0;
    for (Bytes rest(data, size); rest.size() > 2;) {
        const Bytes part = fuzz::TakePart(rest);
        if (part.size() < 2) {
            continue;
        }
        std::vector<uint8_t> sndu(part.begin() + 1, part.end());
        if (sndu.size() >= 4 && (part[0] & 1) == 0) {
            Write16(sndu.data(), (sndu[0] & 0x80u) << 8 | (sndu.size() & 0x7FFF));
        }
        fuzz::Carry(demux, fuzz::Sealed(sndu), 4098, continuity);
    }
    return 0;
}
