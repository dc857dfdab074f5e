#include "flute/src/base64.hpp"

#include <cstdint>

namespace streamverse::flute {

std::string DecodeBase64(std::string_view text, size_t size) {
    static constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    uint32_t bits = 0;
    int count = 0;
    for (const char letter : text) {
        const size_t value = kAlphabet.find(letter);
        if (value == std::string_view::npos) {
            if (letter == '=' || letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t') {
                continue;
            }
            return {};
        }
        bits = bits << 6 | static_cast<uint32_t>(value);
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes.push_back(static_cast<char>(bits >> count & 0xFF));
        }
        if (bytes.size() > size) {
            return {};
        }
    }
    return bytes.size() == size ? bytes : std::string{};
}

}  // namespace streamverse::flute
