#include "flute/src/receiver_core.hpp"

#include "flute/test/core_fixture.hpp"
#include "test/check.hpp"

using namespace streamverse::flute;
using namespace streamverse::flute::test;

namespace {

void ReceivesObjectsOfEverySize() {
    CoreFixture fixture;
    for (const size_t size : {size_t{0}, size_t{1}, size_t{99}, size_t{100}, size_t{101}, size_t{12'345}}) {
        const uint64_t toi = size + 1;
        const Octets object = Noise(size, static_cast<uint32_t>(size));
        fixture.Feed(BuildFdt(fixture.Fdt(File(toi, size)), static_cast<uint32_t>(toi)));
        if (size > 0) {
            for (const Octets& packet : Packets(object, toi)) {
                fixture.Feed(packet);
            }
        }
        const auto complete = fixture.All<CompleteEvent>();
        CHECK(!complete.empty() && complete.back().sizeBytes == size);
        CHECK(CoreFixture::ReadFile(complete.back().path) == object);
    }
    CHECK(fixture.core->stats().objectsComplete == 6 && fixture.core->stats().openBytes == 0);
}

void KeepsSymbolsThatComeBeforeTheirFdt() {
    ReceiveLimits limits;
    limits.unknownBytesMax = 20'000;
    CoreFixture fixture(limits);
    const Octets object = Noise(5000, 3);
    for (const Octets& packet : Packets(Noise(6000, 4), 1)) {
        fixture.Feed(packet);
    }
    for (const Octets& packet : Packets(object, 2)) {
        fixture.Feed(packet);
    }
    CHECK(fixture.core->stats().unknownBytes <= 20'000 && fixture.core->stats().unknownDropped == 60);
    fixture.Feed(BuildFdt(fixture.Fdt(File(2, 5000)), 1));
    CHECK(fixture.All<CompleteEvent>().size() == 1 && fixture.core->stats().unknownBytes == 0);
    CHECK(CoreFixture::ReadFile(fixture.All<CompleteEvent>()[0].path) == object);
}

void TellsWhenATransmissionEnds() {
    CoreFixture fixture;
    const Octets object = Noise(10'000, 5);
    const auto packets = Packets(object, 2, 100, 10, false);
    fixture.Feed(BuildFdt(fixture.Fdt(File(2, 10'000)), 1));
    const auto pass = [&](size_t lost) {
        for (size_t index = 0; index < packets.size(); ++index) {
            if (index != lost && index != 50) {
                fixture.Feed(packets[index]);
            }
        }
    };
    fixture.Wait(5000);
    CHECK(fixture.All<EndedEvent>().empty());  // nothing has begun
    pass(20);
    CHECK(fixture.All<EndedEvent>().empty());
    pass(20);  // another pass shows that the first one is over
    CHECK(fixture.All<EndedEvent>().size() == 1 && fixture.All<EndedEvent>()[0].missingBytes == 200);
    fixture.Wait(1000);
    CHECK(fixture.All<EndedEvent>().size() == 1);
    fixture.Wait(1000);
    CHECK(fixture.All<EndedEvent>().size() == 2);
    fixture.Wait(10'000);
    CHECK(fixture.All<EndedEvent>().size() == 2);
    const uint64_t id = fixture.All<AppearedEvent>()[0].id;
    const auto missing = fixture.views.Missing(id);
    CHECK(missing.size() == 2 && missing[0].offset == 2000 && missing[0].length == 100 &&
          missing[1].offset == 5000);
    const auto available = fixture.views.Available(id, 1950, 200);
    CHECK(available.size() == 2 && available[0].length == 50 && available[1].offset == 2100);
    CHECK(available[1].length == 50);
    fixture.core->Write(id, 2000, Bytes(object).subspan(2000, 3100), fixture.now);
    fixture.Settle();
    CHECK(fixture.All<CompleteEvent>().size() == 1 && fixture.All<CompleteEvent>()[0].repairedBytes == 200);
    CHECK(fixture.views.Missing(id).empty() && fixture.views.Available(id, 0, 20'000)[0].length == 10'000);
}

void HonoursExpiry() {
    CoreFixture fixture;
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 100), -2000), 1));
    CHECK(fixture.core->stats().fdtExpired == 1 && fixture.All<AppearedEvent>().empty());
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000), 10'000), 2));
    fixture.Feed(Packets(Noise(1000, 1), 1)[0]);
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000), 20'000), 3));  // another instance keeps it alive
    fixture.Wait(12'000);
    CHECK(fixture.All<GaveUpEvent>().empty());
    fixture.Wait(10'000);
    CHECK(fixture.All<GaveUpEvent>().size() == 1);
    CHECK(std::string(fixture.All<GaveUpEvent>()[0].code) == "NATIVE_FLUTE_EXPIRED");
    CHECK(fixture.core->stats().objectsOpen == 0 && std::filesystem::is_empty(fixture.settings.directory));
}

// A box that was off believes in the past until somebody tells it the time.
void OutlivesItsClock() {
    CoreFixture fixture;
    const int64_t trueMs = fixture.now.unixMs;
    const std::string body = fixture.Fdt(File(1, 1000), 10'000);
    const std::string untimed = fixture.Fdt(File(2, 1000), 10'000);
    fixture.now.unixMs = 0;
    fixture.Feed(BuildTimedFdt(body, 1, trueMs));
    fixture.Feed(Packets(Noise(1000, 1), 1)[0]);
    fixture.now.unixMs = trueMs + 3'600'000;
    fixture.Feed(BuildFdt(untimed, 2));
    CHECK(fixture.core->stats().fdtExpired == 1);
    fixture.Wait(9000);
    CHECK(fixture.All<GaveUpEvent>().empty());
    // Set right, it takes the same instance that it has refused.
    fixture.now.unixMs = trueMs;
    fixture.Feed(BuildFdt(untimed, 2));
    CHECK(fixture.All<AppearedEvent>().size() == 2);
    fixture.Wait(3000);
    CHECK(fixture.All<GaveUpEvent>().size() == 1);
}

// What an FDT instance says once for 10,000 files must not be held 10,000 times, nor may many instances add
// up.
void HoldsLittleOfAnFdt() {
    ReceiveLimits limits;
    limits.describedBytesMax = 800'000;
    CoreFixture fixture(limits);
    std::string files;
    for (int toi = 1; toi <= 1500; ++toi) {
        files += "<File TOI='" + std::to_string(toi) + "' Content-Location='a' Content-Length='5'/>";
    }
    std::string body = fixture.Fdt(files);
    body.insert(14, "Content-Type='" + std::string(4000, 'x') + "' ");
    PacketShape shape;
    shape.extensions = Join({ExtFdt(1), ExtFti(0, body.size(), 60'000, 64)});
    for (uint32_t symbol = 0; symbol * size_t{60'000} < body.size(); ++symbol) {
        const std::string part = body.substr(symbol * size_t{60'000}, 60'000);
        fixture.Feed(BuildPacket(shape, symbol, Octets(part.begin(), part.end())));
    }
    CHECK(fixture.All<FdtEvent>().size() == 1 && fixture.All<FdtEvent>()[0].files == 1500);
    const auto appeared = fixture.All<AppearedEvent>();
    CHECK(appeared.size() > 1000 && appeared.size() < 1500 && fixture.core->stats().fdtRefused > 0);
    CHECK(appeared[0].file->contentType.size() <= 128);
}

void HasPatienceForEachSession() {
    CoreFixture fixture({}, {1});
    fixture.core->Listen("239.1.1.1", 5001, {2}, 300);
    for (const uint64_t tsi : {1, 2}) {
        PacketShape shape;
        shape.tsi = tsi;
        shape.toi = 1;
        fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000)), 1, 0, tsi));
        fixture.Feed(BuildPacket(shape, 0, Noise(100, 1)));
    }
    fixture.Wait(400);
    CHECK(fixture.All<EndedEvent>().size() == 1 && fixture.All<EndedEvent>()[0].id == 2);
    fixture.Wait(2000);
    CHECK(fixture.All<EndedEvent>().size() == 2);
    ReceiverCore::Unlisten(*fixture.group);
    fixture.Feed(BuildFdt(fixture.Fdt(File(2, 1000)), 2));
    CHECK(fixture.core->stats().foreignPackets == 1);
}

void KeepsRoomForNamedSessions() {
    CoreFixture fixture;
    fixture.core->Listen("239.1.1.1", 5001, {7777});
    for (uint64_t tsi = 1; tsi <= 70; ++tsi) {
        fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000)), 1, 0, tsi));
    }
    CHECK(fixture.core->stats().foreignPackets == 6);
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000)), 1, 0, 7777));
    CHECK(fixture.All<AppearedEvent>().size() == 65);
}

void TakesTheNewerBodyOfAnInstance() {
    CoreFixture fixture;
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 100)), 0xFFFFF));
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 100)), 0xFFFFF));
    CHECK(fixture.All<FdtEvent>().size() == 1);
    fixture.Feed(BuildFdt(fixture.Fdt(File(2, 100)), 0xFFFFF));
    CHECK(fixture.All<FdtEvent>().size() == 2 && fixture.core->stats().fdtChanged == 1);
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 200)), 0));  // the id wraps; another object under a known TOI
    CHECK(fixture.All<GaveUpEvent>().size() == 1 && fixture.All<AppearedEvent>().size() == 3);
    CHECK(std::string(fixture.All<GaveUpEvent>()[0].code) == "NATIVE_FLUTE_REPLACED");
}

void ReceivesAnewWhatTheDigestRefuses() {
    CoreFixture fixture;
    const Octets object = Noise(1000, 9);
    // The digest of nothing, which these bytes do not have.
    const std::string digest = "Content-Digest=\"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\"";
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000, digest)), 1));
    for (int pass = 0; pass < 3; ++pass) {
        CHECK(fixture.All<GaveUpEvent>().empty());
        for (const Octets& packet : Packets(object, 1)) {
            fixture.Feed(packet);
        }
    }
    CHECK(fixture.All<GaveUpEvent>().size() == 1 && fixture.All<CompleteEvent>().empty());
    CHECK(std::string(fixture.All<GaveUpEvent>()[0].code) == "NATIVE_FLUTE_DIGEST_MISMATCH");
}

void DropsAndForgets() {
    CoreFixture fixture;
    const auto packets = Packets(Noise(1000, 9), 1);
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 1000)), 1));
    fixture.Feed(packets[0]);
    fixture.core->Drop(fixture.All<AppearedEvent>()[0].id);
    for (const Octets& packet : packets) {
        fixture.Feed(packet);
    }
    CHECK(fixture.All<GaveUpEvent>().size() == 1 && fixture.All<CompleteEvent>().empty());
    for (int time = 1; time <= 3; ++time) {
        fixture.core->Forget("239.1.1.1", 5001, 1, Toi{0, 1});
        for (const Octets& packet : packets) {
            fixture.Feed(packet);
        }
        CHECK(fixture.All<CompleteEvent>().size() == static_cast<size_t>(time));
    }
}

void StaysWithinItsLimits() {
    ReceiveLimits limits;
    limits.objectBytesMax = 10'000;
    limits.objectsOpenMax = 2;
    limits.openBytesMax = 15'000;
    CoreFixture fixture(limits, {1});
    fixture.Feed(BuildFdt(fixture.Fdt(File(1, 10'001) + File(2, 10'000) + File(3, 9000) + File(4, 10) +
                                      File(5, 10) + File(6, 10, "", 6)),
                          1));
    CHECK(fixture.All<AppearedEvent>().size() == 6 && fixture.All<GaveUpEvent>().size() == 2);
    CHECK(std::string(fixture.All<GaveUpEvent>()[0].code) == "NATIVE_FLUTE_TOO_LARGE");
    CHECK(std::string(fixture.All<GaveUpEvent>()[1].code) == "NATIVE_FLUTE_FEC_UNSUPPORTED");
    fixture.Feed(Packets(Noise(10'000, 1), 2)[0]);
    fixture.Feed(Packets(Noise(9000, 1), 3)[0]);  // more than openBytesMax
    CHECK(fixture.core->stats().objectsOpen == 1 && fixture.core->stats().refusedSymbols == 1);
    fixture.Feed(BuildFdt(fixture.Fdt(File(9, 1)), 1, 0, 77));
    CHECK(fixture.core->stats().foreignPackets == 1);
}

uint32_t ReadLittleEndian(const Octets& bytes, size_t at) {
    return bytes[at] | uint32_t{bytes[at + 1]} << 8 | uint32_t{bytes[at + 2]} << 16 |
           uint32_t{bytes[at + 3]} << 24;
}

// The UDP payloads of a capture of bare IPv4.
std::vector<Octets> ReadPcap(const std::string& path) {
    const Octets capture = CoreFixture::ReadFile(path);
    std::vector<Octets> payloads;
    for (size_t at = 24; at + 16 < capture.size();) {
        const size_t length = ReadLittleEndian(capture, at + 8);
        const auto packet = capture.begin() + static_cast<std::ptrdiff_t>(at + 16);
        payloads.emplace_back(packet + (*packet & 15) * 4 + 8, packet + static_cast<std::ptrdiff_t>(length));
        at += 16 + length;
    }
    return payloads;
}

// alc.pcap: an FDT instance with EXT_TIME, another body under its id in a zlib envelope that calls itself
// gzip, an object, and packets of FEC ids 0, 129, 6, 5 and 1 whose objects no FDT describes.
void ReadsOurVectors() {
    const auto payloads = ReadPcap(FLUTE_VECTORS "/alc.pcap");
    CHECK(payloads.size() == 7);
    CoreFixture fixture;
    for (const Octets& payload : payloads) {
        fixture.Feed(payload);
    }
    const auto instances = fixture.All<FdtEvent>();
    CHECK(instances.size() == 2 && instances[0].senderTimeMs && instances[0].files == 1);
    CHECK(fixture.core->stats().fdtChanged == 1 && fixture.core->stats().malformedPackets == 0);
    const auto complete = fixture.All<CompleteEvent>();
    CHECK(complete.size() == 1 &&
          CoreFixture::ReadFile(complete[0].path) == Octets({'h', 'e', 'l', 'l', 'o'}));
    CHECK(fixture.core->stats().unknownBytes > 4000);
}

}  // namespace

int main() {
    ReadsOurVectors();
    ReceivesObjectsOfEverySize();
    KeepsSymbolsThatComeBeforeTheirFdt();
    TellsWhenATransmissionEnds();
    HonoursExpiry();
    OutlivesItsClock();
    HoldsLittleOfAnFdt();
    HasPatienceForEachSession();
    KeepsRoomForNamedSessions();
    TakesTheNewerBodyOfAnInstance();
    ReceivesAnewWhatTheDigestRefuses();
    DropsAndForgets();
    StaysWithinItsLimits();
}
