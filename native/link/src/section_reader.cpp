#include "link/src/section_reader.hpp"

#include <algorithm>
#include <cstring>

#include "link/src/crc.hpp"
#include "link/src/ip_datagram.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kLengthEnd = 3;  // of table_id and section_length
constexpr uint8_t kStuffing = 0xFF;
constexpr uint8_t kMpeTable = 0x3E;
constexpr size_t kMpeHeadBytes = 12;
constexpr size_t kCrcBytes = 4;
constexpr std::array<uint8_t, 6> kSnap = {0xAA, 0xAA, 0x03, 0, 0, 0};

size_t SectionBytes(const uint8_t* head) {
    return kLengthEnd + (Read16(head + 1) & 0x0FFFu);
}

}  // namespace

void SectionReader::Drop(const Origin& origin, ReceiveContext& context) {
    if (have_ > 0) {
        context.Report(origin, Damage::kSectionCut);
    }
    have_ = 0;
    need_ = 0;
}

// Goes on with what is under way; answers how many bytes it took.
size_t SectionReader::Continue(Bytes payload, const Origin& origin, ReceiveContext& context,
                               SectionListener& listener) {
    size_t taken = 0;
    if (need_ == 0) {
        taken = std::min(kLengthEnd - have_, payload.size());
        std::memcpy(bytes_.data() + have_, payload.data(), taken);
        have_ += taken;
        if (have_ < kLengthEnd) {
            return taken;
        }
        need_ = SectionBytes(bytes_.data());
        if (need_ > kSectionBytesMax) {
            context.Report(origin, Damage::kSectionLength);
            have_ = 0;
            need_ = 0;
            return payload.size();
        }
    }
    const size_t now = std::min(need_ - have_, payload.size() - taken);
    std::memcpy(bytes_.data() + have_, payload.data() + taken, now);
    have_ += now;
    if (have_ == need_) {
        const Bytes whole(bytes_.data(), need_);
        have_ = 0;
        need_ = 0;
        listener.OnSection(origin, whole);
    }
    return taken + now;
}

void SectionReader::ReadNew(Bytes payload, const Origin& origin, ReceiveContext& context,
                            SectionListener& listener) {
    while (!payload.empty() && payload[0] != kStuffing) {
        // One that lies in its packet needs no copy.
        if (payload.size() >= kLengthEnd && SectionBytes(payload.data()) <= payload.size()) {
            const size_t bytes = SectionBytes(payload.data());
            listener.OnSection(origin, payload.first(bytes));
            payload = payload.subspan(bytes);
        } else {
            payload = payload.subspan(Continue(payload, origin, context, listener));
        }
    }
}

void SectionReader::Read(Bytes payload, bool begins, const Origin& origin, ReceiveContext& context,
                         SectionListener& listener) {
    if (!begins) {
        if (have_ > 0) {
            Continue(payload, origin, context, listener);
        }
        return;
    }
    if (payload.empty() || payload[0] + 1u >= payload.size()) {
        context.Report(origin, Damage::kPointerField);
        Drop(origin, context);
        return;
    }
    const size_t pointer = payload[0];
    if (have_ > 0) {
        Continue(payload.subspan(1, pointer), origin, context, listener);
        Drop(origin, context);
    }
    ReadNew(payload.subspan(1 + pointer), origin, context, listener);
}

void MpeReader::OnSection(const Origin& origin, Bytes section) {
    if (section[0] != kMpeTable || (section[1] & 0x80) == 0) {
        context_.Report(origin, Damage::kSectionForeign);
        return;
    }
    if (section.size() < kMpeHeadBytes + kCrcBytes) {
        context_.Report(origin, Damage::kSectionLength);
        return;
    }
    if (Crc32(section.data(), section.size()) != 0) {
        context_.Report(origin, Damage::kSectionCrc);
        return;
    }
    if ((section[5] & 0x3C) != 0) {
        context_.Report(origin, Damage::kSectionScrambled);
        return;
    }
    if (section[6] != 0 || section[7] != 0) {
        context_.Report(origin, Damage::kSectionNumbered);
        return;
    }
    Bytes datagram = section.subspan(kMpeHeadBytes, section.size() - kMpeHeadBytes - kCrcBytes);
    if ((section[5] & 0x02) != 0) {
        if (datagram.size() < kSnap.size() + 2 || !std::equal(kSnap.begin(), kSnap.end(), datagram.begin()) ||
            (Read16(datagram.data() + kSnap.size()) != kEtherTypeIpv4 &&
             Read16(datagram.data() + kSnap.size()) != kEtherTypeIpv6)) {
            context_.Report(origin, Damage::kSectionSnap);
            return;
        }
        datagram = datagram.subspan(kSnap.size() + 2);
    }
    context_.totals.encapsulatedBytes += section.size();
    context_.Deliver(origin, datagram);
}

}  // namespace streamverse::link
