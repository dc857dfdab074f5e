// A constant rate as a fraction, by which every unit of a stream has its exact moment.
#pragma once

#include <cstdint>

namespace streamverse::link {

struct LinkRate {
    uint64_t bits = 1;     // at most 2^50
    uint64_t seconds = 1;  // at most 2^24

    // From the stream's beginning to the beginning of unit `index`, rounded down.
    int64_t NsOf(uint64_t index, uint64_t unitBytes) const {
        return static_cast<int64_t>(static_cast<Wide>(index) * unitBytes * 8 * seconds * kSecondNs / bits);
    }

    // Units that begin in `ns`, rounded down.
    uint64_t UnitsIn(int64_t ns, uint64_t unitBytes) const {
        return static_cast<uint64_t>(static_cast<Wide>(ns) * bits /
                                     (static_cast<Wide>(unitBytes) * 8 * seconds) / kSecondNs);
    }

 private:
    __extension__ using Wide = unsigned __int128;
    static constexpr uint64_t kSecondNs = 1'000'000'000;
};

}  // namespace streamverse::link
