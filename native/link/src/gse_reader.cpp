#include "link/src/gse_reader.hpp"

#include <algorithm>

#include "link/src/crc.hpp"
#include "link/src/extension_headers.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kTypeBytes = 2;
constexpr size_t kTotalBytes = 2;
constexpr size_t kCrcBytes = 4;
constexpr unsigned kLabelReuse = 3;
// Of a buffer that is empty: one for usual datagrams is used again, large ones are given back.
constexpr size_t kKeptBytesMax = 2048;
constexpr std::array<size_t, 4> kLabelBytes = {6, 3, 0, 0};  // by label type

}  // namespace

void GseReader::Clear(Partial& partial) {
    if (partial.total > 0) {
        partialBytes_ -= partial.total;
        --underWay_;
    }
    partial.total = 0;
    partial.bytes.clear();
    if (partial.bytes.capacity() > kKeptBytesMax) {
        partial.bytes = {};
    }
}

void GseReader::Expire(const Origin& origin, ReceiveContext& context) {
    for (Partial& partial : partials_) {
        if (partial.total > 0 && frames_ - partial.frame > kReassemblyFrames) {
            context.Report(origin, Damage::kGseTimeout);
            Clear(partial);
        }
    }
}

void GseReader::Read(Bytes field, const Origin& origin, ReceiveContext& context) {
    ++frames_;
    if (underWay_ > 0) {
        Expire(origin, context);
    }
    // A label is not re-used from one frame to the next.
    hasLabel_ = false;
    while (field.size() >= 2) {
        const unsigned word = Read16(field.data());
        const Head head{(word & 0x8000) != 0, (word & 0x4000) != 0, word >> 12 & 3};
        if (!head.starts && !head.ends && head.labelType == 0) {
            return;  // padding to the end
        }
        const size_t bytes = word & 0x0FFF;
        if (2 + bytes > field.size()) {
            context.Report(origin, Damage::kGseLength);
            return;
        }
        ReadPacket(head, field.subspan(2, bytes), origin, context);
        field = field.subspan(2 + bytes);
    }
}

void GseReader::ReadPacket(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context) {
    if (head.starts && head.ends) {
        ReadWhole(head, packet, origin, context);
    } else if (packet.empty()) {
        context.Report(origin, Damage::kGseLength);
    } else if (head.starts) {
        ReadFirst(head, packet, origin, context);
    } else {
        ReadLater(head, packet, origin, context);
    }
}

// How many bytes of label stand in a packet that starts a PDU; `rest` begins with them.
bool GseReader::TakeLabelBytes(unsigned labelType, Bytes rest, const Origin& origin, ReceiveContext& context,
                               size_t& labelBytes) {
    labelBytes = kLabelBytes[labelType];
    if (labelType == kLabelReuse) {
        if (!hasLabel_) {
            context.Report(origin, Damage::kGseLabel);
        }
        return hasLabel_;
    }
    if (rest.size() < labelBytes) {
        context.Report(origin, Damage::kGseLength);
        return false;
    }
    const Bytes label = rest.first(labelBytes);
    if (labelBytes == 6 && std::all_of(label.begin(), label.end(), [](uint8_t byte) { return byte == 0; })) {
        context.Report(origin, Damage::kGseLabel);
        return false;
    }
    hasLabel_ = labelBytes > 0;
    return true;
}

void GseReader::ReadWhole(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context) {
    if (packet.size() < kTypeBytes) {
        context.Report(origin, Damage::kGseLength);
        return;
    }
    size_t labelBytes = 0;
    if (!TakeLabelBytes(head.labelType, packet.subspan(kTypeBytes), origin, context, labelBytes)) {
        return;
    }
    const auto datagram = SkipExtensions(Read16(packet.data()), packet.subspan(kTypeBytes + labelBytes));
    if (!datagram.has_value()) {
        context.Report(origin, Damage::kGseType);
        return;
    }
    context.totals.encapsulatedBytes += 2 + packet.size();
    context.Deliver(origin, *datagram);
}

void GseReader::ReadFirst(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context) {
    const size_t fixed = 1 + kTotalBytes + kTypeBytes;
    if (packet.size() < fixed) {
        context.Report(origin, Damage::kGseLength);
        return;
    }
    size_t labelBytes = 0;
    if (!TakeLabelBytes(head.labelType, packet.subspan(fixed), origin, context, labelBytes)) {
        return;
    }
    Partial& partial = partials_[packet[0]];
    if (partial.total > 0) {
        context.Report(origin, Damage::kGseOverlap);
        Clear(partial);
    }
    const size_t total = Read16(packet.data() + 1);
    const Bytes content = packet.subspan(1);  // from TotalLength on, as the CRC counts
    if (content.size() - kTotalBytes > total || total < kTypeBytes + labelBytes) {
        context.Report(origin, Damage::kGseTotal);
        return;
    }
    if (partialBytes_ + total > kReassemblyBytesMax) {
        context.Report(origin, Damage::kGseRoom);
        return;
    }
    partial.total = total;
    partial.labelBytes = labelBytes;
    partial.frame = frames_;
    partial.bytes.reserve(kTotalBytes + total);
    partial.bytes.assign(content.begin(), content.end());
    partialBytes_ += total;
    ++underWay_;
    context.totals.encapsulatedBytes += 2 + packet.size();
}

void GseReader::ReadLater(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context) {
    Partial& partial = partials_[packet[0]];
    if (partial.total == 0) {
        context.Report(origin, Damage::kGseOrphan);
        return;
    }
    Bytes content = packet.subspan(1);
    uint32_t crc = 0;
    if (head.ends) {
        if (content.size() < kCrcBytes) {
            context.Report(origin, Damage::kGseLength);
            Clear(partial);
            return;
        }
        crc = Read32(content.data() + content.size() - kCrcBytes);
        content = content.first(content.size() - kCrcBytes);
    }
    const size_t have = partial.bytes.size() - kTotalBytes + content.size();
    if (have > partial.total || (head.ends && have != partial.total)) {
        context.Report(origin, Damage::kGseTotal);
        Clear(partial);
        return;
    }
    partial.bytes.insert(partial.bytes.end(), content.begin(), content.end());
    context.totals.encapsulatedBytes += 2 + packet.size();
    if (head.ends) {
        Finish(partial, crc, origin, context);
        Clear(partial);
    }
}

void GseReader::Finish(Partial& partial, uint32_t crc, const Origin& origin, ReceiveContext& context) {
    const Bytes whole(partial.bytes);
    if (Crc32(whole.data(), whole.size()) != crc) {
        context.Report(origin, Damage::kGseCrc);
        return;
    }
    const auto datagram = SkipExtensions(Read16(whole.data() + kTotalBytes),
                                         whole.subspan(kTotalBytes + kTypeBytes + partial.labelBytes));
    if (!datagram.has_value()) {
        context.Report(origin, Damage::kGseType);
        return;
    }
    context.Deliver(origin, *datagram);
}

}  // namespace streamverse::link
