// Every kind of damage, each by the least that makes it: it is counted by its name, and what is whole behind
// it arrives.
#include <cstring>

#include "link/src/crc.hpp"
#include "link/src/payload_unit.hpp"
#include "link/test/link_fixture.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::link;
using namespace streamverse::link::test;

using Octets = std::vector<uint8_t>;
constexpr uint16_t kPid = 4097;
constexpr size_t kLongPayload = 600;  // of more than one packet

Selection SelectPids() {
    Selection selection;
    selection.pids = {{kPid, Encapsulation::kMpe}, {kPid + 1, Encapsulation::kUle}};
    return selection;
}

struct Bench {
    Recorder recorder;
    LinkDecoder decoder{recorder, SelectPids(), 0};

    // After it one whole datagram by the same way arrives, and only `kind` is counted, `times` times.
    void Expect(Damage kind, size_t times, size_t datagrams) {
        for (const Damage each : recorder.damage) {
            if (each != kind) {
                std::fprintf(stderr, "also %s\n",
                             std::string(kDamageNames[static_cast<size_t>(each)]).c_str());
            }
        }
        if (recorder.Count(kind) != times || recorder.datagrams.size() != datagrams) {
            std::fprintf(stderr, "%s: %zu times, %zu datagrams\n",
                         std::string(kDamageNames[static_cast<size_t>(kind)]).c_str(), recorder.Count(kind),
                         recorder.datagrams.size());
        }
        CHECK(recorder.damage.size() == recorder.Count(kind));
        CHECK(recorder.Count(kind) == times);
        CHECK(decoder.totals().damage[static_cast<size_t>(kind)] == times);
        CHECK(recorder.datagrams.size() == datagrams);
    }
};

Octets Datagram(size_t payloadBytes) {
    Octets datagram;
    WriteUdpDatagram({true, {10, 0, 0, 1}, 1}, {true, {239, 1, 1, 1}, 2}, Octets(payloadBytes, 7), 1,
                     datagram);
    return datagram;
}

Octets UnitOf(const Octets& datagram, bool isMpe) {
    PayloadUnit unit;
    CHECK(isMpe ? MakeMpeSection(datagram, unit) : MakeSndu(datagram, unit));
    Octets bytes(unit.bytes());
    unit.Copy(0, bytes.size(), bytes.data());
    return bytes;
}

void Seal(Octets& unit) {
    Write32(unit.data() + unit.size() - 4, Crc32(unit.data(), unit.size() - 4));
}

// Packets of one unit alone, continuing the counter.
Octets PacketsOf(const Octets& unit, uint16_t pid, uint8_t& continuity) {
    Octets packets;
    for (size_t at = 0; at < unit.size();) {
        const size_t from = packets.size();
        packets.resize(from + kTsPacketBytes, 0xFF);
        const size_t head = WritePacketHeader(packets.data() + from, pid, at == 0, continuity);
        if (at == 0) {
            packets[from + head - 1] = 0;
        }
        const size_t now = std::min(kTsPacketBytes - head, unit.size() - at);
        std::memcpy(packets.data() + from + head, unit.data() + at, now);
        at += now;
    }
    return packets;
}

// Two units of which the first has been changed, by packets.
void CheckUnit(bool isMpe, size_t payloadBytes, Damage kind, void (*change)(Octets& unit), size_t times = 1) {
    Bench bench;
    uint8_t continuity = 0;
    const uint16_t pid = isMpe ? kPid : kPid + 1;
    Octets unit = UnitOf(Datagram(payloadBytes), isMpe);
    change(unit);
    Octets packets = PacketsOf(unit, pid, continuity);
    const Octets whole = PacketsOf(UnitOf(Datagram(payloadBytes), isMpe), pid, continuity);
    packets.insert(packets.end(), whole.begin(), whole.end());
    for (size_t at = 0; at < packets.size(); at += kTsPacketBytes) {
        bench.decoder.OnDatagram(Bytes(packets).subspan(at, kTsPacketBytes));
    }
    bench.Expect(kind, times, 1);
}

void CheckSections() {
    CheckUnit(true, 100, Damage::kSectionCrc, [](Octets& unit) { unit[40] ^= 1; });
    CheckUnit(true, 100, Damage::kSectionForeign, [](Octets& unit) { unit[0] = 0x3F; });
    CheckUnit(true, kLongPayload, Damage::kSectionCut, [](Octets& unit) { unit.resize(300); });
    CheckUnit(true, 100, Damage::kSectionLength, [](Octets& unit) { Write16(unit.data() + 1, 0xBFFF); });
    CheckUnit(true, 100, Damage::kSectionScrambled, [](Octets& unit) {
        unit[5] |= 0x10;
        Seal(unit);
    });
    CheckUnit(true, 100, Damage::kSectionNumbered, [](Octets& unit) {
        unit[7] = 1;
        Seal(unit);
    });
    CheckUnit(true, 100, Damage::kSectionSnap, [](Octets& unit) {
        unit[5] |= 2;
        Seal(unit);
    });
    CheckUnit(true, 100, Damage::kIpMalformed, [](Octets& unit) {
        unit[12] = 0x10;
        Seal(unit);
    });
}

void CheckSndus() {
    CheckUnit(false, 100, Damage::kSnduCrc, [](Octets& unit) { unit[40] ^= 1; });
    CheckUnit(false, 100, Damage::kSnduLength, [](Octets& unit) { Write16(unit.data(), 3); });
    CheckUnit(false, kLongPayload, Damage::kSnduCut, [](Octets& unit) { unit.resize(300); });
    CheckUnit(false, 100, Damage::kSnduType, [](Octets& unit) {
        Write16(unit.data() + 2, 0x88A8);
        Seal(unit);
    });
}

// A change of the first packet of three.
void CheckPacket(Damage kind, size_t datagrams, void (*change)(uint8_t* packet)) {
    Bench bench;
    uint8_t continuity = 0;
    Octets packets;
    for (int count = 0; count < 3; ++count) {
        const Octets part = PacketsOf(UnitOf(Datagram(100), true), kPid, continuity);
        packets.insert(packets.end(), part.begin(), part.end());
    }
    change(packets.data());
    bench.decoder.OnDatagram(packets);
    bench.Expect(kind, 1, datagrams);
}

void CheckPackets() {
    CheckPacket(Damage::kTransportError, 2, [](uint8_t* packet) { packet[1] |= 0x80; });
    CheckPacket(Damage::kScrambledPacket, 2, [](uint8_t* packet) { packet[3] |= 0x80; });
    CheckPacket(Damage::kAdaptationField, 2, [](uint8_t* packet) {
        packet[3] |= 0x20;
        packet[4] = 184;
    });
    CheckPacket(Damage::kPointerField, 2, [](uint8_t* packet) { packet[4] = 183; });
    CheckPacket(Damage::kDiscontinuity, 3, [](uint8_t* packet) { packet[3] ^= 8; });
    CheckPacket(Damage::kSyncLoss, 2, [](uint8_t* packet) { packet[2 * kTsPacketBytes] = 0; });
    // The same counter again is the same packet again.
    CheckPacket(Damage::kDiscontinuity, 2, [](uint8_t* packet) { packet[kTsPacketBytes + 3] ^= 1; });
}

// A stream that is cut is in step again three packets later, and only what the cut met is lost.
void CheckSync() {
    LinkEncoder encoder(TransportOptions(Encapsulation::kMpe));
    for (size_t index = 0; index < 200; ++index) {
        encoder.Push(0, MakeDatagram(index, 1400));
    }
    Octets units;
    Pull(encoder, 1500, units);
    units.erase(units.begin() + 40 * 188 + 50, units.begin() + 40 * 188 + 90);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    decoder.OnBytes(units);
    CHECK(recorder.Count(Damage::kSyncLoss) == 1);
    CHECK(recorder.datagrams.size() >= 196 && recorder.datagrams.size() < 200);
}

void CheckDatagrams() {
    Bench bench;
    bench.decoder.OnDatagram(Octets(100, 0x42));
    bench.Expect(Damage::kForeignDatagram, 1, 0);
    Bench rtp;
    uint8_t continuity = 0;
    for (const unsigned number : {1u, 2u, 4u}) {
        Octets datagram = {0x80, kRtpTransportType, 0, static_cast<uint8_t>(number), 0, 0, 0, 0, 0, 0, 0, 0};
        const Octets packets = PacketsOf(UnitOf(Datagram(100), true), kPid, continuity);
        datagram.insert(datagram.end(), packets.begin(), packets.end());
        rtp.decoder.OnDatagram(datagram);
    }
    rtp.Expect(Damage::kRtpGap, 1, 3);
}

}  // namespace

int main() {
    CheckSections();
    CheckSndus();
    CheckPackets();
    CheckSync();
    CheckDatagrams();
}
