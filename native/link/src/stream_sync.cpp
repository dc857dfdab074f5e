#include "link/src/stream_sync.hpp"

#include <algorithm>
#include <cstring>

#include "link/src/bb_frame.hpp"

namespace streamverse::link {

namespace {

constexpr size_t kUnitsInStep = 3;  // that must begin rightly in a row
// Kbch of the shortest frame (QPSK 1/4, short) and of the longest (9/10, normal).
constexpr size_t kFrameBytesMin = 384;
constexpr size_t kFrameBytesMax = 7274;

// A header that a frame of this size may have: one in some ten million of random bytes.
bool IsFrame(const uint8_t* at, size_t frameBytes) {
    const auto header = ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(at, kBbHeaderBytes));
    if (!header.has_value() || header->dataFieldBits % 8 != 0 ||
        kBbHeaderBytes + header->dataFieldBits / 8u > frameBytes) {
        return false;
    }
    if (header->stream == BbStream::kTransport) {
        return header->sync == kTsSync && header->userPacketBits >= kTsPacketBytes * 8;
    }
    // Zeros, of which padding is full, would be generic packets of no length.
    return header->stream == BbStream::kGseHighEfficiency ||
           (header->stream == BbStream::kGenericPacketized) == (header->userPacketBits > 0);
}

}  // namespace

void StreamSync::Forget(size_t count) {
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool StreamSync::IsUnit(const uint8_t* at) const {
    return carrier_ == Carrier::kTransport ? at[0] == kTsSync : IsFrame(at, unitBytes_);
}

void StreamSync::Give(Bytes unit) {
    if (carrier_ == Carrier::kTransport) {
        listener_.OnPacket(unit);
    } else {
        listener_.OnFrame(unit);
    }
}

// Answers how many bytes were units, until it is out of step or the rest is less than one.
size_t StreamSync::ReadUnits(Bytes bytes) {
    size_t at = 0;
    while (bytes.size() - at >= unitBytes_) {
        if (!IsUnit(bytes.data() + at)) {
            context_.Report({}, Damage::kSyncLoss);
            listener_.OnGap();
            unitBytes_ = 0;
            break;
        }
        Give(bytes.subspan(at, unitBytes_));
        at += unitBytes_;
    }
    return at;
}

void StreamSync::Write(Bytes bytes) {
    while (unitBytes_ > 0 && !bytes.empty()) {
        if (waiting_.empty() && bytes.size() >= unitBytes_) {
            bytes = bytes.subspan(ReadUnits(bytes));
            continue;
        }
        const size_t now = std::min(bytes.size(), unitBytes_ - waiting_.size());
        waiting_.insert(waiting_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(now));
        bytes = bytes.subspan(now);
        if (waiting_.size() == unitBytes_ && ReadUnits(waiting_) > 0) {
            waiting_.clear();
        }
    }
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    while (unitBytes_ == 0 && Find()) {
        Forget(ReadUnits(waiting_));
    }
}

// Looks for kUnitsInStep units in a row; what cannot be their beginning any more is forgotten.
bool StreamSync::Find() {
    const bool mayBePackets = knownFrameBytes_ == 0 && carrier_ != Carrier::kFrames;
    const bool mayBeFrames = carrier_ != Carrier::kTransport;
    const size_t frameBytes = knownFrameBytes_ > 0 ? knownFrameBytes_ : kFrameBytesMax;
    const size_t span = mayBeFrames ? (kUnitsInStep - 1) * frameBytes + kBbHeaderBytes
                                    : (kUnitsInStep - 1) * kTsPacketBytes + 1;
    // Packets are told by less; they are looked for before there is enough for three frames.
    const size_t packetsSpan = (kUnitsInStep - 1) * kTsPacketBytes + 1;
    size_t at = 0;
    for (; at + packetsSpan <= waiting_.size(); ++at) {
        if ((mayBePackets && FindPackets(at)) || (mayBeFrames && FindFrames(at))) {
            Forget(at);
            return true;
        }
        if (mayBeFrames && at + span > waiting_.size()) {
            // Too early to give this place up: only packets may be looked for behind it.
            break;
        }
    }
    size_t later = at;
    for (;
         mayBePackets && mayBeFrames && later + packetsSpan <= waiting_.size() && later < at + kTsPacketBytes;
         ++later) {
        if (FindPackets(later)) {
            Forget(later);
            return true;
        }
    }
    Forget(at);
    return false;
}

bool StreamSync::FindPackets(size_t from) {
    for (size_t unit = 0; unit < kUnitsInStep; ++unit) {
        if (waiting_[from + unit * kTsPacketBytes] != kTsSync) {
            return false;
        }
    }
    carrier_ = Carrier::kTransport;
    unitBytes_ = kTsPacketBytes;
    return true;
}

bool StreamSync::FindFrames(size_t from) {
    const uint8_t* const at = waiting_.data() + from;
    if (from + kBbHeaderBytes > waiting_.size() || !IsFrame(at, kFrameBytesMax)) {
        return false;
    }
    const size_t least = knownFrameBytes_ > 0 ? knownFrameBytes_ : kFrameBytesMin;
    const size_t most = knownFrameBytes_ > 0 ? knownFrameBytes_ : kFrameBytesMax;
    for (size_t bytes = least; bytes <= most; ++bytes) {
        bool isInStep = from + (kUnitsInStep - 1) * bytes + kBbHeaderBytes <= waiting_.size();
        for (size_t unit = 0; isInStep && unit < kUnitsInStep; ++unit) {
            const uint8_t* const frame = at + unit * bytes;
            isInStep = frame[0] >> 6 == at[0] >> 6 && IsFrame(frame, bytes);
        }
        if (isInStep) {
            carrier_ = Carrier::kFrames;
            unitBytes_ = bytes;
            return true;
        }
    }
    return false;
}

}  // namespace streamverse::link
