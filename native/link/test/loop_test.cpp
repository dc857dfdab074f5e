// Both directions against each other: what goes in comes out, whole and in order, by every way through the
// link layer.
#include <functional>
#include <string>

#include "link/test/link_fixture.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::link;
using namespace streamverse::link::test;

constexpr size_t kDatagrams = 400;

// Pushes datagrams of many lengths while it pulls units; `carry` brings each unit to the decoder.
void CheckLoop(const EncoderOptions& options, size_t payloadBytesMax, bool isStream) {
    LinkEncoder encoder(options);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    std::vector<std::vector<uint8_t>> sent;
    std::vector<uint8_t> units;
    for (size_t index = 0; index < kDatagrams; ++index) {
        sent.push_back(MakeDatagram(index, payloadBytesMax));
        CHECK(encoder.Push(0, sent.back()) == Pushed::kTaken);
        if (index % 3 == 0) {
            Pull(encoder, index % 2 == 0 ? 20 : 1, units);
        }
    }
    Pull(encoder, 100 + 400'000 / encoder.unitBytes(), units);
    if (isStream) {
        // Portions of odd sizes, so that units are cut everywhere.
        for (size_t at = 0; at < units.size(); at += 997) {
            decoder.OnBytes(Bytes(units).subspan(at, std::min<size_t>(997, units.size() - at)));
        }
    } else {
        CarryByDatagrams(units, encoder, [&](Bytes datagram) { decoder.OnDatagram(datagram); });
    }
    CHECK(encoder.queuedBytes() == 0);
    for (const Damage each : recorder.damage) {
        std::fprintf(stderr, "%s\n", std::string(kDamageNames[static_cast<size_t>(each)]).c_str());
    }
    CHECK(recorder.damage.empty());
    // Until the PMT has been read, nothing is known of the PID; tables go first, so that nothing is lost.
    CHECK(recorder.datagrams == sent);
    const LayerTotals totals = encoder.totals();
    CHECK(totals.datagrams == kDatagrams && totals.carrierBytes == units.size());
    CHECK(decoder.totals().encapsulatedBytes == totals.encapsulatedBytes);
    CHECK(decoder.totals().ipBytes == totals.ipBytes);
}

void CheckTables() {
    EncoderOptions options = TransportOptions(Encapsulation::kMpe);
    LinkEncoder encoder(options);
    Recorder recorder;
    LinkDecoder decoder(recorder, {}, 0);
    std::vector<uint8_t> units;
    Pull(encoder, 4000, units);
    decoder.OnBytes(units);
    const FoundPrograms& programs = decoder.transport().programs();
    CHECK(programs.transportStreamId == 1001 && programs.networkId == 7 && programs.originalNetworkId == 9);
    CHECK(programs.networkName == "StreamVerse");
    CHECK(programs.services().size() == 2);
    const FoundService& service = programs.services().at(5001);
    CHECK(service.name == "Kan\u00e1l" && service.provider == "Edge" && service.pmtPid == 256);
    CHECK(service.streams.size() == 1 && service.streams[0].pid == 4097);
    CHECK(service.streams[0].dataBroadcastId == kMpeDataBroadcastId);
    CHECK(programs.delivery.has_value() && programs.delivery->frequencyKhz == 11727500);
    CHECK(programs.delivery->symbolRate == 27500000 && programs.delivery->orbitalPosition == 192);
    CHECK(programs.delivery->isEast && programs.delivery->polarization == 1 &&
          programs.delivery->codeRate == 3);
    CHECK(programs.unixSeconds.has_value() && *programs.unixSeconds == 1'800'000'000);
    CHECK(recorder.damage.empty());
    CHECK(decoder.totals().nullPackets * kTsPacketBytes == encoder.totals().stuffingBytes);
}

}  // namespace

int main() {
    CheckTables();
    for (const Encapsulation encapsulation : {Encapsulation::kMpe, Encapsulation::kUle}) {
        CheckLoop(TransportOptions(encapsulation), 3900, true);
        CheckLoop(TransportOptions(encapsulation), 1400, false);
        CheckLoop(WithFrames(TransportOptions(encapsulation), 48408), 1400, true);
        CheckLoop(WithFrames(TransportOptions(encapsulation), 3072), 1400, false);
    }
    for (const LabelRule label : {LabelRule::kMac, LabelRule::kNone, LabelRule::kReuse}) {
        CheckLoop(GseOptions(label, 48408), 1400, true);
        CheckLoop(GseOptions(label, 3072), 1400, false);
        CheckLoop(GseOptions(label, 58192), 20000, true);
    }
}
