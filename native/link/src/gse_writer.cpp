#include "link/src/gse_writer.hpp"

#include <algorithm>
#include <cstring>

#include "link/src/crc.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kLengthMax = 4095;  // GSE_Length, of everything behind it
constexpr size_t kHeadBytes = 2;
constexpr size_t kFragmentIdBytes = 1;
constexpr size_t kTotalBytes = 2;
constexpr size_t kTypeBytes = 2;
constexpr size_t kCrcBytes = 4;
// Smaller pieces cost more than the padding that they avoid.
constexpr size_t kFragmentBytesMin = 32;
constexpr size_t kLiteBytesMax = 1800;
constexpr unsigned kStart = 0x8000;
constexpr unsigned kEnd = 0x4000;
constexpr unsigned kLabelMac = 0;
constexpr unsigned kLabelNone = 2;
constexpr unsigned kLabelReuse = 3;

void PutHead(uint8_t* at, unsigned flags, unsigned labelType, size_t bytes) {
    Write16(at, flags | labelType << 12 | static_cast<unsigned>(bytes - kHeadBytes));
}

size_t LabelBytes(unsigned labelType) {
    return labelType == kLabelMac ? sizeof(MacAddress) : 0;
}

}  // namespace

bool GseWriter::Takes(size_t ipBytes) const {
    // TotalLength counts type and label too.
    return ipBytes <= (isLite_ ? kLiteBytesMax : kIpBytesMax - kTypeBytes - sizeof(MacAddress));
}

unsigned GseWriter::ChooseLabel(const MacAddress& mac) const {
    if (rule_ == LabelRule::kNone) {
        return kLabelNone;
    }
    return rule_ == LabelRule::kReuse && label_ == mac ? kLabelReuse : kLabelMac;
}

size_t GseWriter::PutTypeAndLabel(uint8_t* at, Bytes datagram, unsigned labelType) {
    Write16(at, datagram[0] >> 4 == 4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
    if (labelType == kLabelMac) {
        label_ = DestinationMac(datagram);
        std::memcpy(at + kTypeBytes, label_->data(), label_->size());
    }
    return kTypeBytes + LabelBytes(labelType);
}

size_t GseWriter::WriteWhole(std::span<uint8_t> room, LayerTotals& totals) {
    const Bytes datagram = queue_.Front();
    const unsigned labelType = ChooseLabel(DestinationMac(datagram));
    const size_t bytes = kHeadBytes + kTypeBytes + LabelBytes(labelType) + datagram.size();
    if (bytes > room.size() || bytes - kHeadBytes > kLengthMax) {
        return 0;
    }
    PutHead(room.data(), kStart | kEnd, labelType, bytes);
    const size_t from = kHeadBytes + PutTypeAndLabel(room.data() + kHeadBytes, datagram, labelType);
    std::memcpy(room.data() + from, datagram.data(), datagram.size());
    ++totals.datagrams;
    totals.ipBytes += datagram.size();
    totals.encapsulatedBytes += bytes;
    queue_.Pop();
    return bytes;
}

size_t GseWriter::WriteFirst(std::span<uint8_t> room, LayerTotals& totals) {
    const Bytes datagram = queue_.Front();
    const unsigned labelType = ChooseLabel(DestinationMac(datagram));
    const size_t typed = kTypeBytes + LabelBytes(labelType);
    const size_t fixed = kHeadBytes + kFragmentIdBytes + kTotalBytes + typed;
    if (room.size() < fixed + kFragmentBytesMin) {
        return 0;
    }
    // The last fragment has one byte at least.
    const size_t now =
        std::min({datagram.size() - 1, room.size() - fixed, kLengthMax - (fixed - kHeadBytes)});
    uint8_t* const at = room.data();
    PutHead(at, kStart, labelType, fixed + now);
    at[kHeadBytes] = ++fragment_;
    uint8_t* const total = at + kHeadBytes + kFragmentIdBytes;
    Write16(total, static_cast<unsigned>(typed + datagram.size()));
    PutTypeAndLabel(total + kTotalBytes, datagram, labelType);
    std::memcpy(at + fixed, datagram.data(), now);
    crc_ = Crc32(datagram.data(), datagram.size(), Crc32(total, kTotalBytes + typed));
    isUnderWay_ = true;
    sent_ = now;
    ++totals.datagrams;
    totals.ipBytes += datagram.size();
    totals.encapsulatedBytes += fixed + now;
    return fixed + now;
}

size_t GseWriter::WriteLater(std::span<uint8_t> room, LayerTotals& totals) {
    const Bytes datagram = queue_.Front();
    const size_t left = datagram.size() - sent_;
    const size_t fixed = kHeadBytes + kFragmentIdBytes;
    uint8_t* const at = room.data();
    const bool ends = fixed + left + kCrcBytes <= std::min(room.size(), kHeadBytes + kLengthMax);
    // The CRC is not cut, and the last fragment has one byte at least.
    if (!ends && (left == 1 || room.size() < fixed + std::min(kFragmentBytesMin, left - 1))) {
        return 0;
    }
    const size_t now = ends ? left : std::min({left - 1, room.size() - fixed, kLengthMax - kFragmentIdBytes});
    const size_t bytes = fixed + now + (ends ? kCrcBytes : 0);
    PutHead(at, ends ? kEnd : 0, kLabelReuse, bytes);
    at[kHeadBytes] = fragment_;
    std::memcpy(at + fixed, datagram.data() + sent_, now);
    sent_ += now;
    label_.reset();
    totals.encapsulatedBytes += bytes;
    if (ends) {
        Write32(at + fixed + now, crc_);
        isUnderWay_ = false;
        queue_.Pop();
    }
    return bytes;
}

size_t GseWriter::Fill(std::span<uint8_t> field, LayerTotals& totals) {
    label_.reset();
    size_t filled = 0;
    while (isUnderWay_ || !queue_.empty()) {
        const std::span<uint8_t> room = field.subspan(filled);
        size_t now = 0;
        if (isUnderWay_) {
            now = WriteLater(room, totals);
        } else {
            now = WriteWhole(room, totals);
            now = now > 0 ? now : WriteFirst(room, totals);
        }
        if (now == 0) {
            break;
        }
        filled += now;
    }
    return filled;
}

}  // namespace streamverse::link
