// IP datagrams that wait for room in the carrier: a ring of bytes with a limit, and no allocation on the way.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

// One thread, or a lock around it.
class DatagramQueue {
 public:
    explicit DatagramQueue(size_t bytesMax) : ring_(bytesMax) {}

    size_t bytes() const { return used_; }
    size_t count() const { return count_; }
    bool empty() const { return count_ == 0; }

    // False when there is no room.
    bool Push(Bytes datagram) {
        const size_t need = kLengthBytes + datagram.size();
        // A datagram lies in one piece: what is left before the end of the ring may have to be skipped.
        const bool wraps = end_ + need > ring_.size();
        const size_t skipped = wraps ? ring_.size() - end_ : 0;
        if (used_ + skipped + need > ring_.size()) {
            return false;
        }
        if (wraps) {
            if (skipped >= kLengthBytes) {
                Write32(ring_.data() + end_, kSkip);
            }
            used_ += skipped;
            end_ = 0;
        }
        Write32(ring_.data() + end_, static_cast<uint32_t>(datagram.size()));
        std::memcpy(ring_.data() + end_ + kLengthBytes, datagram.data(), datagram.size());
        end_ += need;
        used_ += need;
        ++count_;
        return true;
    }

    // The first that waits; valid until Pop. Not when empty.
    Bytes Front() {
        if (ring_.size() - begin_ < kLengthBytes || Read32(ring_.data() + begin_) == kSkip) {
            used_ -= ring_.size() - begin_;
            begin_ = 0;
        }
        return {ring_.data() + begin_ + kLengthBytes, Read32(ring_.data() + begin_)};
    }

    // After Front.
    void Pop() {
        const size_t taken = kLengthBytes + Read32(ring_.data() + begin_);
        begin_ += taken;
        used_ -= taken;
        --count_;
        if (count_ == 0) {
            begin_ = 0;
            end_ = 0;
        }
    }

 private:
    static constexpr size_t kLengthBytes = 4;
    static constexpr uint32_t kSkip = 0xFFFFFFFF;

    std::vector<uint8_t> ring_;
    size_t begin_ = 0;
    size_t end_ = 0;
    size_t used_ = 0;
    size_t count_ = 0;
};

}  // namespace streamverse::link
