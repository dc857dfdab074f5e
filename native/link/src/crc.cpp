#include "link/src/crc.hpp"

#include <isa-l/crc.h>

#include <array>
#include <cstring>

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

namespace streamverse::link {

uint8_t Crc8ByProducts(const uint8_t* bytes, size_t size);
#if defined(LINK_WIDE_PRODUCTS)
size_t FoldCrc32(const uint8_t* bytes, size_t size, uint32_t before, uint8_t* folded);
#endif

namespace {

constexpr uint8_t kPolynomial = 0xD5;

constexpr std::array<uint8_t, 256> MakeTable() {
    std::array<uint8_t, 256> table{};
    for (unsigned value = 0; value < 256; ++value) {
        unsigned remainder = value;
        for (unsigned bit = 0; bit < 8; ++bit) {
            remainder = (remainder & 0x80) != 0 ? (remainder << 1) ^ kPolynomial : remainder << 1;
        }
        table[value] = static_cast<uint8_t>(remainder);
    }
    return table;
}

constexpr auto kTable = MakeTable();

bool HasProducts() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("pclmul") != 0;
#elif defined(__aarch64__)
    constexpr unsigned long kPmull = 1 << 4;  // HWCAP_PMULL
    return (getauxval(AT_HWCAP) & kPmull) != 0;
#else
    return false;
#endif
}

}  // namespace

// ISA-L's is inverted on its way in and out.
uint32_t Crc32ByLibrary(const uint8_t* bytes, size_t size, uint32_t before) {
    return ~crc32_ieee(~before, const_cast<unsigned char*>(bytes), size);
}

#if defined(LINK_WIDE_PRODUCTS)
namespace {

constexpr size_t kFoldedBytes = 16;
constexpr size_t kFoldBytesMin = 256;  // below it the library is as fast

uint32_t Crc32ByFolding(const uint8_t* bytes, size_t size, uint32_t before) {
    if (size < kFoldBytesMin) {
        return Crc32ByLibrary(bytes, size, before);
    }
    // What is folded, and the rest that is less than a lane.
    std::array<uint8_t, 2 * kFoldedBytes> last;
    const size_t taken = FoldCrc32(bytes, size, before, last.data());
    std::memcpy(last.data() + kFoldedBytes, bytes + taken, size - taken);
    return Crc32ByLibrary(last.data(), kFoldedBytes + size - taken, 0);
}

}  // namespace

uint32_t Crc32(const uint8_t* bytes, size_t size, uint32_t before) {
    static const bool kIsWide =
        __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("vpclmulqdq") != 0;
    return kIsWide ? Crc32ByFolding(bytes, size, before) : Crc32ByLibrary(bytes, size, before);
}
#else
uint32_t Crc32(const uint8_t* bytes, size_t size, uint32_t before) {
    return Crc32ByLibrary(bytes, size, before);
}
#endif

uint8_t Crc8ByTable(const uint8_t* bytes, size_t size) {
    uint8_t remainder = 0;
    for (size_t index = 0; index < size; ++index) {
        remainder = kTable[remainder ^ bytes[index]];
    }
    return remainder;
}

uint8_t Crc8(const uint8_t* bytes, size_t size) {
    static const auto kBest = HasProducts() ? Crc8ByProducts : Crc8ByTable;
    return kBest(bytes, size);
}

}  // namespace streamverse::link
