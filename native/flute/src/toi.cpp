#include "flute/src/toi.hpp"

#include <sys/random.h>

#include <algorithm>

namespace streamverse::flute {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Wide kToiMax = (static_cast<Wide>(1) << 112) - 1;

}  // namespace

uint64_t HashSeed() noexcept {
    static const uint64_t seed = [] {
        uint64_t value = 0;
        // Without entropy the table is as slow as an attacker makes it, but works.
        [[maybe_unused]] const ssize_t got = ::getrandom(&value, sizeof(value), GRND_NONBLOCK);
        return value;
    }();
    return seed;
}

std::string ToDecimal(Toi toi) {
    Wide value = (static_cast<Wide>(toi.high) << 64) | toi.low;
    std::string text;
    do {
        text.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
        value /= 10;
    } while (value != 0);
    std::reverse(text.begin(), text.end());
    return text;
}

std::optional<Toi> ParseToi(std::string_view text) {
    if (text.empty() || text.size() > 34) {
        return std::nullopt;
    }
    Wide value = 0;
    for (const char digit : text) {
        if (digit < '0' || digit > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<Wide>(digit - '0');
    }
    if (value > kToiMax) {
        return std::nullopt;
    }
    return Toi{static_cast<uint64_t>(value >> 64), static_cast<uint64_t>(value)};
}

}  // namespace streamverse::flute
