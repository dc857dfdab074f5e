// A sequence of UDP payloads, each after its 16-bit length: TS, RTP, BBFRAMEs by mode adaptation L.3.
#include "link/fuzz/packet_builder.hpp"

using namespace streamverse::link;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    fuzz::Deaf listener;
    LinkDecoder decoder(listener, {}, 0);
    for (Bytes rest(data, size); rest.size() > 2;) {
        std::vector<uint8_t> datagram;
        const Bytes part = fuzz::TakePart(rest);
        datagram.assign(part.begin(), part.end());
        // A header with its CRC, else hardly anything gets behind it.
        const size_t header = kModeAdaptationBytes + kBbHeaderBytes;
        if (datagram.size() >= header && datagram[0] == kModeAdaptationSync) {
            uint8_t* const last = datagram.data() + header - 1;
            const bool isHighEfficiency = datagram[kModeAdaptationBytes] >> 6 == 2;
            *last = static_cast<uint8_t>(Crc8(datagram.data() + kModeAdaptationBytes, kBbHeaderBytes - 1) ^
                                         (isHighEfficiency ? 1 : 0));
        }
        decoder.OnDatagram(datagram);
    }
    return 0;
}
