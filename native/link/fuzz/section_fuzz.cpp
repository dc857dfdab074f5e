// Tables and MPE sections of any content, each after its 16-bit length and a byte that chooses its PID; their
// CRCs are right.
#include "link/fuzz/packet_builder.hpp"

using namespace streamverse::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    constexpr std::array<uint16_t, 8> kPidsUsed = {kPatPid, kNitPid, kSdtPid, kTdtPid, 256, 257, 4097, 4098};
    fuzz::Deaf listener;
    ReceiveContext context{listener, {}};
    const Selection selection;
    TransportDemux demux(context, selection, kNowhere);
    std::array<uint8_t, kPidsUsed.size()> continuities{};
    for (Bytes rest(data, size); rest.size() > 2;) {
        const Bytes part = fuzz::TakePart(rest);
        if (part.empty()) {
            continue;
        }
        const size_t chosen = part[0] % kPidsUsed.size();
        // A length that fits, unless the input insists on its own.
        std::vector<uint8_t> section(part.begin() + 1, part.end());
        if (section.size() > 3 && (part[0] & 0x80) == 0) {
            Write16(section.data() + 1, (section[1] & 0xF0u) << 8 | ((section.size() + 1) & 0x0FFF));
        }
        fuzz::Carry(demux, fuzz::Sealed(section), kPidsUsed[chosen], continuities[chosen]);
    }
    return 0;
}
