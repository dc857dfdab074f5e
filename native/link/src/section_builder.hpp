// A section while it is written: lengths are filled in behind, and the CRC-32 at the end.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "link/src/byte_order.hpp"
#include "link/src/crc.hpp"

namespace streamverse::link {

class SectionBuilder {
 public:
    // The head of the long form, section 0 of 0, version 0, current.
    SectionBuilder(uint8_t table, uint16_t extension) {
        Put8(table);
        Put16(0);
        Put16(extension);
        for (const unsigned byte : {0xC1u, 0u, 0u}) {
            Put8(byte);
        }
    }

    void Put8(unsigned value) { bytes_.push_back(static_cast<uint8_t>(value)); }
    void Put16(unsigned value) {
        Put8(value >> 8 & 0xFF);
        Put8(value & 0xFF);
    }
    void PutText(std::string_view text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
    void Put(std::initializer_list<uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes); }

    // A 12-bit length of what is put until Close, below four other bits.
    size_t Open16() {
        Put16(0);
        return bytes_.size();
    }
    void Close16(size_t mark, unsigned others = 0xF000) {
        Write16(bytes_.data() + mark - 2, others | static_cast<unsigned>(bytes_.size() - mark));
    }

    // A descriptor's tag and, filled in by Close8, its length.
    size_t OpenDescriptor(uint8_t tag) {
        Put8(tag);
        Put8(0);
        return bytes_.size();
    }
    void Close8(size_t mark) { bytes_[mark - 1] = static_cast<uint8_t>(bytes_.size() - mark); }

    std::vector<uint8_t> Finish() {
        // The CRC counts, the three bytes up to the length do not; reserved_future_use is set in SI.
        const auto length = static_cast<unsigned>(bytes_.size() + 4 - 3);
        Write16(bytes_.data() + 1, (bytes_[0] < 0x40 ? 0xB000u : 0xF000u) | length);
        const uint32_t crc = Crc32(bytes_.data(), bytes_.size());
        Put16(crc >> 16);
        Put16(crc & 0xFFFF);
        return std::move(bytes_);
    }

 private:
    std::vector<uint8_t> bytes_;
};

}  // namespace streamverse::link
