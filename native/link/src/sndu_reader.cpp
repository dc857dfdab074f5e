#include "link/src/sndu_reader.hpp"

#include <algorithm>

#include "link/src/crc.hpp"
#include "link/src/extension_headers.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kHeadBytes = 4;  // D, length, type
constexpr size_t kCrcBytes = 4;
constexpr size_t kAddressBytes = 6;
constexpr uint16_t kEndIndicator = 0xFFFF;

}  // namespace

void SnduReader::Drop(const Origin& origin, ReceiveContext& context) {
    if (need_ > 0) {
        context.Report(origin, Damage::kSnduCut);
    }
    bytes_.clear();
    need_ = 0;
}

size_t SnduReader::Continue(Bytes payload, const Origin& origin, ReceiveContext& context) {
    const size_t now = std::min(need_ - bytes_.size(), payload.size());
    bytes_.insert(bytes_.end(), payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(now));
    if (bytes_.size() == need_) {
        need_ = 0;
        Finish(bytes_, origin, context);
        bytes_.clear();
    }
    return now;
}

void SnduReader::ReadNew(Bytes payload, const Origin& origin, ReceiveContext& context) {
    // A length is never cut: a single byte that is left is stuffing.
    while (payload.size() >= 2 && Read16(payload.data()) != kEndIndicator) {
        const size_t bytes = kHeadBytes + (Read16(payload.data()) & 0x7FFFu);
        if (bytes <= kHeadBytes + kCrcBytes) {
            context.Report(origin, Damage::kSnduLength);
            return;
        }
        if (bytes <= payload.size()) {
            Finish(payload.first(bytes), origin, context);
            payload = payload.subspan(bytes);
        } else {
            need_ = bytes;
            payload = payload.subspan(Continue(payload, origin, context));
        }
    }
}

void SnduReader::Read(Bytes payload, bool begins, const Origin& origin, ReceiveContext& context) {
    if (!begins) {
        // What follows the end of a SNDU where no other begins is stuffing.
        if (need_ > 0) {
            Continue(payload, origin, context);
        }
        return;
    }
    if (payload.empty() || payload[0] + 1u >= payload.size()) {
        context.Report(origin, Damage::kPointerField);
        Drop(origin, context);
        return;
    }
    const size_t pointer = payload[0];
    if (need_ > 0) {
        Continue(payload.subspan(1, pointer), origin, context);
        Drop(origin, context);
    }
    ReadNew(payload.subspan(1 + pointer), origin, context);
}

void SnduReader::Finish(Bytes sndu, const Origin& origin, ReceiveContext& context) {
    if (Crc32(sndu.data(), sndu.size()) != 0) {
        context.Report(origin, Damage::kSnduCrc);
        return;
    }
    const bool hasAddress = (sndu[0] & 0x80) == 0;
    const size_t head = kHeadBytes + (hasAddress ? kAddressBytes : 0);
    if (sndu.size() < head + kCrcBytes) {
        context.Report(origin, Damage::kSnduLength);
        return;
    }
    const auto datagram =
        SkipExtensions(Read16(sndu.data() + 2), sndu.subspan(head, sndu.size() - head - kCrcBytes));
    if (!datagram.has_value()) {
        context.Report(origin, Damage::kSnduType);
        return;
    }
    context.totals.encapsulatedBytes += sndu.size();
    context.Deliver(origin, *datagram);
}

}  // namespace streamverse::link
