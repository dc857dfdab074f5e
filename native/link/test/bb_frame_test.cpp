#include "link/src/bb_frame.hpp"

#include <random>
#include <stdexcept>
#include <string_view>

#include "link/src/crc.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::link;

constexpr std::string_view kDigits = "123456789";

const uint8_t* Bytes(std::string_view text) {
    return reinterpret_cast<const uint8_t*>(text.data());
}

std::vector<uint8_t> RandomBytes(size_t size, uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<uint8_t> bytes(size);
    for (uint8_t& byte : bytes) {
        byte = static_cast<uint8_t>(random());
    }
    return bytes;
}

void CheckChecksums() {
    CHECK(Crc32(Bytes(kDigits), kDigits.size()) == 0x0376E6E7);
    CHECK(Crc32(Bytes(kDigits) + 4, 5, Crc32(Bytes(kDigits), 4)) == 0x0376E6E7);
    CHECK(Crc8(Bytes(kDigits), kDigits.size()) == 0xBC);
    const auto bytes = RandomBytes(700, 8);
    for (size_t size = 0; size <= bytes.size(); ++size) {
        CHECK(Crc32(bytes.data(), size) == Crc32ByLibrary(bytes.data(), size));
        CHECK(Crc32(bytes.data(), size, 0x12345678) == Crc32ByLibrary(bytes.data(), size, 0x12345678));
        CHECK(Crc8(bytes.data(), size) == Crc8ByTable(bytes.data(), size));
    }
}

// Headers as two other programs write them: gr-dtv's first, then rust-broadcast's.
void CheckHeaders() {
    BbHeader header;
    header.stream = BbStream::kGenericContinuous;
    header.rollOff = 2;
    header.dataFieldBits = 0x02F0;
    const auto continuous = FormatBbHeader(header);
    CHECK(continuous[0] == 0x72 && continuous[9] == 0x15);
    header.stream = BbStream::kGseHighEfficiency;
    const auto efficient = FormatBbHeader(header);
    CHECK(efficient[0] == 0xB2 && efficient[9] == 0x87);
    for (const auto& bytes : {continuous, efficient}) {
        const auto parsed = ParseBbHeader(bytes);
        CHECK(parsed.has_value() && FormatBbHeader(*parsed) == bytes);
        for (unsigned bit = 0; bit < 8 * kBbHeaderBytes; ++bit) {
            auto wrong = bytes;
            wrong[bit / 8] = static_cast<uint8_t>(wrong[bit / 8] ^ 1 << bit % 8);
            CHECK(!ParseBbHeader(wrong).has_value());
        }
    }
}

std::vector<uint8_t> RandomPackets(size_t count) {
    auto packets = RandomBytes(count * kTsPacketBytes, 188);
    for (size_t packet = 0; packet < count; ++packet) {
        packets[packet * kTsPacketBytes] = kTsSync;
    }
    return packets;
}

// Puts the packets together again as a receiver does: by SYNCD of the first frame, then by counting; each
// CRC-8 is checked.
void CheckSlices(uint32_t kbch, size_t count) {
    const auto packets = RandomPackets(count);
    TransportSlicer slicer(kbch, {}, true);
    std::vector<uint8_t> frames;
    for (size_t packet = 0; packet < count; ++packet) {
        slicer.Append({packets.data() + packet * kTsPacketBytes, kTsPacketBytes}, frames);
    }
    slicer.Finish(frames);
    CHECK(frames.size() % (kbch / 8) == 0);
    std::vector<uint8_t> stream;
    for (size_t at = 0; at < frames.size(); at += kbch / 8) {
        const auto header =
            ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(frames.data() + at, kBbHeaderBytes));
        CHECK(header.has_value() && header->userPacketBits == 1504 && header->sync == kTsSync);
        CHECK(header->rollOff == (at / (kbch / 8) % 2 == 0 ? 3 : 0));
        const size_t distance = (kTsPacketBytes - stream.size() % kTsPacketBytes) % kTsPacketBytes;
        const size_t bytes = header->dataFieldBits / 8u;
        CHECK(header->syncDistance == (distance < bytes ? distance * 8 : kNoUserPacket));
        const auto data = frames.begin() + static_cast<std::ptrdiff_t>(at + kBbHeaderBytes);
        stream.insert(stream.end(), data, data + static_cast<std::ptrdiff_t>(bytes));
    }
    CHECK(stream.size() == packets.size());
    uint8_t crc = 0;
    for (size_t at = 0; at < stream.size(); at += kTsPacketBytes) {
        CHECK(stream[at] == crc);
        crc = Crc8ByTable(stream.data() + at + 1, kTsPacketBytes - 1);
        stream[at] = kTsSync;
    }
    CHECK(stream == packets);
}

void CheckRefusals() {
    CHECK_THROWS(TransportSlicer(80, {}, false), std::invalid_argument);
    CHECK_THROWS(TransportSlicer(5660, {}, false), std::invalid_argument);
    TransportSlicer slicer(3072, {}, false);
    std::vector<uint8_t> frames;
    CHECK_THROWS(slicer.Append(RandomBytes(187, 1), frames), std::invalid_argument);
    CHECK_THROWS(slicer.Append(std::vector<uint8_t>(188), frames), std::invalid_argument);
    CHECK(frames.empty());
}

}  // namespace

int main() {
    CheckChecksums();
    CheckHeaders();
    CheckSlices(48408, 100);
    CheckSlices(3072, 50);
    CheckSlices(184, 9);  // of which some hold no beginning of a packet
    CheckRefusals();
}
