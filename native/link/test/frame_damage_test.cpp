// Damage of BBFRAMEs, of GSE and of transport streams in frames; and pseudo transport streams.
#include <cstring>

#include "link/src/crc.hpp"
#include "link/test/link_fixture.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::link;
using namespace streamverse::link::test;

using Octets = std::vector<uint8_t>;
constexpr size_t kFrameBytes = 384;

Octets Datagram(size_t payloadBytes) {
    Octets datagram;
    WriteUdpDatagram({true, {10, 0, 0, 1}, 1}, {true, {239, 1, 1, 1}, 2}, Octets(payloadBytes, 7), 1,
                     datagram);
    return datagram;
}

// Frames of GSE by mode adaptation; `change` sees the BBFRAMEs.
void CheckFrames(size_t payloadBytes, Damage kind, size_t times, size_t datagrams,
                 void (*change)(Octets& frames)) {
    LinkEncoder encoder(GseOptions(LabelRule::kMac, kFrameBytes * 8));
    for (int count = 0; count < 3; ++count) {
        CHECK(encoder.Push(0, Datagram(payloadBytes)) == Pushed::kTaken);
    }
    Octets frames;
    Pull(encoder, 300, frames);
    change(frames);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    CarryByDatagrams(frames, encoder, [&](Bytes datagram) { decoder.OnDatagram(datagram); });
    CHECK(recorder.Count(kind) == times);
    CHECK(recorder.datagrams.size() == datagrams);
}

// The header of the first frame again, with its CRC.
void SetHeader(Octets& frames, void (*change)(BbHeader& header)) {
    auto header = *ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(frames.data(), kBbHeaderBytes));
    change(header);
    const auto bytes = FormatBbHeader(header);
    std::copy(bytes.begin(), bytes.end(), frames.begin());
}

void CheckGse() {
    // Three datagrams of 128 bytes: two whole and the beginning of the third in the first frame.
    const size_t whole = 100;
    CheckFrames(whole, Damage::kFrameCrc, 1, 0, [](Octets& frames) { frames[9] ^= 1; });
    CheckFrames(whole, Damage::kGseOrphan, 1, 0, [](Octets& frames) { frames[9] ^= 1; });
    CheckFrames(whole, Damage::kFrameLength, 1, 0, [](Octets& frames) {
        SetHeader(frames, [](BbHeader& header) { header.dataFieldBits = 4000; });
    });
    CheckFrames(whole, Damage::kFrameKind, 1, 0, [](Octets& frames) {
        SetHeader(frames, [](BbHeader& header) { header.stream = BbStream::kGenericPacketized; });
    });
    CheckFrames(whole, Damage::kGseLength, 1, 0,
                [](Octets& frames) { Write16(frames.data() + kBbHeaderBytes, 0xCFFF); });
    CheckFrames(whole, Damage::kGseLabel, 1, 2,
                [](Octets& frames) { std::memset(frames.data() + kBbHeaderBytes + 4, 0, 6); });
    CheckFrames(whole, Damage::kGseLabel, 1, 2, [](Octets& frames) { frames[kBbHeaderBytes] |= 0x30; });
    CheckFrames(whole, Damage::kGseType, 1, 2, [](Octets& frames) { frames[kBbHeaderBytes + 2] = 0x99; });
    // A datagram of 628 bytes begins the first frame as a fragment.
    const size_t cut = 600;
    CheckFrames(cut, Damage::kGseCrc, 1, 2, [](Octets& frames) { frames[kBbHeaderBytes + 40] ^= 1; });
    CheckFrames(cut, Damage::kGseTotal, 1, 2, [](Octets& frames) { ++frames[kBbHeaderBytes + 4]; });
    CheckFrames(cut, Damage::kGseOverlap, 1, 3, [](Octets& frames) {
        const Octets first(frames.begin(), frames.begin() + kFrameBytes);
        frames.insert(frames.begin(), first.begin(), first.end());
    });
    CheckFrames(cut, Damage::kGseTimeout, 1, 2, [](Octets& frames) {
        // Its later fragments are those of another.
        frames[kBbHeaderBytes + 2] = 200;
    });
}

void CheckGap() {
    LinkEncoder encoder(GseOptions(LabelRule::kMac, kFrameBytes * 8));
    Octets frames;
    Pull(encoder, 6, frames);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    size_t count = 0;
    CarryByDatagrams(frames, encoder, [&](Bytes datagram) {
        if (count++ != 3) {
            decoder.OnDatagram(datagram);
        }
    });
    CHECK(recorder.damage == std::vector{Damage::kFrameGap});
    const auto& stream = decoder.frames().streams().at(kNowhere);
    CHECK(stream->frames == 5 && stream->pls == 57);
}

// A frame of a sliced transport stream is missing: SYNCD does not fit, and the packets behind are whole
// again.
void CheckSlices() {
    LinkEncoder encoder(WithFrames(TransportOptions(Encapsulation::kMpe), kFrameBytes * 8));
    for (size_t index = 0; index < 40; ++index) {
        encoder.Push(0, MakeDatagram(index, 1400));
    }
    Octets frames;
    Pull(encoder, 400, frames);
    frames[60 * kFrameBytes + kBbHeaderBytes + 300] ^= 1;  // within a user packet
    frames.erase(frames.begin() + 50 * kFrameBytes, frames.begin() + 51 * kFrameBytes);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, kFrameBytes);
    decoder.OnBytes(frames);
    CHECK(recorder.Count(Damage::kFrameSync) == 1);
    CHECK(recorder.Count(Damage::kUserPacketCrc) == 1);
    CHECK(recorder.datagrams.size() >= 37 && recorder.datagrams.size() < 40);
}

// As dddvb's docs/bbframes describes it.
Octets PseudoPackets(Bytes frame, uint16_t pid, uint8_t& continuity) {
    Octets packets;
    uint8_t number = 0xB8;
    for (size_t at = 0; at < frame.size();) {
        const size_t now = std::min<size_t>(179, frame.size() - at);
        const size_t from = packets.size();
        packets.resize(from + kTsPacketBytes, 0xFF);
        const size_t head = WritePacketHeader(packets.data() + from, pid, true, continuity);
        uint8_t* const to = packets.data() + from + head - 1;
        to[0] = 0;
        to[1] = 0x80;
        to[2] = 0;
        to[3] = static_cast<uint8_t>(now + 1);
        to[4] = number;
        std::memcpy(to + 5, frame.data() + at, now);
        number = number == 0xB8 && at == 0 ? 1 : static_cast<uint8_t>(number + 1);
        at += now;
    }
    return packets;
}

void CheckPseudo(uint16_t pid) {
    LinkEncoder encoder(GseOptions(LabelRule::kMac, kFrameBytes * 8));
    Octets frames;
    for (size_t index = 0; index < 30; ++index) {
        encoder.Push(0, MakeDatagram(index, 1400));
    }
    Pull(encoder, 100, frames);
    Octets packets;
    uint8_t continuity = 0;
    for (size_t at = 0; at < frames.size(); at += kFrameBytes) {
        const Octets part = PseudoPackets(Bytes(frames).subspan(at, kFrameBytes), pid, continuity);
        packets.insert(packets.end(), part.begin(), part.end());
    }
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    decoder.OnBytes(packets);
    CHECK(recorder.damage.empty());
    CHECK(recorder.datagrams.size() == 30);
    CHECK(decoder.content() == LinkDecoder::Content::kPseudoTransport);
    // A packet in the middle of a frame is missing, then one with a frame's end.
    Octets cut = packets;
    cut.erase(cut.begin() + kTsPacketBytes, cut.begin() + 2 * kTsPacketBytes);
    Recorder gap;
    LinkDecoder other(gap, {}, 0);
    other.OnBytes(cut);
    CHECK(gap.Count(Damage::kFrameGap) == 1 && gap.datagrams.size() < 30 && gap.datagrams.size() >= 27);
    cut = packets;
    cut.erase(cut.begin() + 2 * kTsPacketBytes, cut.begin() + 3 * kTsPacketBytes);
    Recorder end;
    LinkDecoder third(end, {}, 0);
    third.OnBytes(cut);
    CHECK(end.Count(Damage::kFrameCut) == 1 && end.datagrams.size() < 30 && end.datagrams.size() >= 27);
}

}  // namespace

int main() {
    CheckGse();
    CheckGap();
    CheckSlices();
    CheckPseudo(270);
    CheckPseudo(280);
}
