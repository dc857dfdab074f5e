// IP datagrams through MPE, ULE and GSE on one core, both ways, against a bare copy of the same bytes.
// Each is measured several times in turn, and the best counts. Prints one JSON object a line.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <functional>

#include "link/test/link_fixture.hpp"

namespace {

using namespace streamverse::link;
using namespace streamverse::link::test;

constexpr size_t kDatagrams = 40'000;
constexpr size_t kPayloadBytes = 1428;  // of 1456 bytes, as a FLUTE sender's
constexpr size_t kBatch = 32;
constexpr size_t kQueueBytesMax = 65536;
constexpr int kRounds = 9;

// Keeps the datagrams one behind the other.
struct Sink final : Listener {
    explicit Sink(std::vector<uint8_t>& room) : to(room) {}
    std::vector<uint8_t>& to;
    size_t bytes = 0;
    uint64_t damage = 0;
    void OnDatagram(const Origin&, Bytes datagram) override {
        std::memcpy(to.data() + bytes, datagram.data(), datagram.size());
        bytes += datagram.size();
    }
    void OnDamage(const Origin&, Damage) override { ++damage; }
};

// Of this thread alone: what is asked for is how much one core does, whoever else is there.
double CpuSeconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double Seconds(const std::function<void()>& work) {
    const double begin = CpuSeconds();
    work();
    return CpuSeconds() - begin;
}

struct Case {
    const char* name;
    EncoderOptions options;
};

// All datagrams, one behind the other.
std::vector<uint8_t> MakeDatagrams(size_t& each) {
    std::vector<uint8_t> all;
    std::vector<uint8_t> datagram;
    std::mt19937 random(1);
    std::vector<uint8_t> payload(kPayloadBytes);
    for (size_t index = 0; index < kDatagrams; ++index) {
        for (size_t at = 0; at + 4 <= payload.size(); at += 4) {
            Write32(payload.data() + at, static_cast<uint32_t>(random()));
        }
        WriteUdpDatagram({true, {10, 0, 0, 1}, 1}, {true, {239, 1, 1, 1}, 2}, payload,
                         static_cast<uint16_t>(index), datagram);
        all.insert(all.end(), datagram.begin(), datagram.end());
    }
    each = datagram.size();
    return all;
}

// Pushes a batch and pulls until nothing waits, as the thread does; answers how long the carrier is.
size_t Encode(LinkEncoder& encoder, Bytes all, size_t each, std::vector<uint8_t>& carrier) {
    size_t made = 0;
    for (size_t at = 0; at < all.size();) {
        for (size_t count = 0; count < kBatch && at < all.size(); ++count, at += each) {
            encoder.Push(0, all.subspan(at, each));
        }
        while (encoder.queuedBytes() > 0) {
            const size_t count = std::max<size_t>(1, encoder.queuedBytes() / encoder.unitBytes());
            encoder.Write(count, carrier.data() + made);
            made += count * encoder.unitBytes();
        }
    }
    return made;
}

// In portions, as they come from a socket or file; false unless every byte came out as it went in.
bool Decode(Bytes carrier, Bytes all, std::vector<uint8_t>& to) {
    constexpr size_t kRead = size_t{256} << 10;
    Sink sink(to);
    LinkDecoder decoder(sink, {}, 0);
    for (size_t at = 0; at < carrier.size(); at += kRead) {
        decoder.OnBytes(carrier.subspan(at, std::min(kRead, carrier.size() - at)));
    }
    return sink.bytes == all.size() && sink.damage == 0;
}

double Best(double before, double now) {
    return before == 0 ? now : std::min(before, now);
}

bool Measure(const Case& each, Bytes all, size_t datagramBytes) {
    double copy = 0;
    double encode = 0;
    double decode = 0;
    bool isWhole = true;
    // Written once before, so that no page is new when it is measured.
    std::vector<uint8_t> to(all.size());
    std::vector<uint8_t> carrier(all.size() * 2);
    for (int round = 0; round < kRounds; ++round) {
        copy = Best(copy, Seconds([&] { std::memcpy(to.data(), all.data(), all.size()); }));
        EncoderOptions options = each.options;
        options.queueBytesMax = kQueueBytesMax;
        LinkEncoder encoder(options);
        size_t made = 0;
        encode = Best(encode, Seconds([&] { made = Encode(encoder, all, datagramBytes, carrier); }));
        std::fill(to.begin(), to.end(), uint8_t{0});
        decode =
            Best(decode, Seconds([&] { isWhole = Decode(Bytes(carrier).first(made), all, to) && isWhole; }));
        isWhole = isWhole && std::equal(all.begin(), all.end(), to.begin());
    }
    const double gigabits = static_cast<double>(all.size()) * 8 / 1e9;
    std::printf(
        "{\"name\":\"%s\",\"copyGbps\":%.2f,\"encodeGbps\":%.2f,\"decodeGbps\":%.2f,\"isWhole\":%s}\n",
        each.name, gigabits / copy, gigabits / encode, gigabits / decode, isWhole ? "true" : "false");
    return isWhole;
}

}  // namespace

int main() {
    size_t each = 0;
    const std::vector<uint8_t> all = MakeDatagrams(each);
    bool isWhole = true;
    for (const Case& one : {Case{"MPE", TransportOptions(Encapsulation::kMpe)},
                            Case{"ULE", TransportOptions(Encapsulation::kUle)},
                            Case{"GSE", GseOptions(LabelRule::kMac, 48408)}}) {
        isWhole = Measure(one, all, each) && isWhole;
    }
    return isWhole ? 0 : 1;
}
