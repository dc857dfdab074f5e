#include "fec/src/reed_solomon.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <stdexcept>

#include "fec/src/galois.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::fec;
using Symbols = std::vector<std::vector<uint8_t>>;
using Matrix = std::vector<std::vector<uint8_t>>;

// inverse(V(k,k)) * V(k,n) by the book, to hold the interpolation against.
Matrix GeneratorByTheBook(unsigned k, unsigned n) {
    const auto vandermonde = [&](unsigned columns) {
        Matrix matrix(k, std::vector<uint8_t>(columns));
        for (unsigned i = 0; i < k; ++i) {
            for (unsigned j = 0; j < columns; ++j) {
                matrix[i][j] = AlphaPower(i * j);
            }
        }
        return matrix;
    };
    // Rows operations that turn V(k,k) into the identity turn V(k,n) into the generator.
    Matrix left = vandermonde(k);
    Matrix right = vandermonde(n);
    for (unsigned column = 0; column < k; ++column) {
        unsigned pivot = column;
        while (left[pivot][column] == 0) {
            ++pivot;
        }
        std::swap(left[pivot], left[column]);
        std::swap(right[pivot], right[column]);
        const uint8_t scale = Invert(left[column][column]);
        const auto scaleRow = [&](std::vector<uint8_t>& row) {
            for (uint8_t& value : row) {
                value = Multiply(value, scale);
            }
        };
        scaleRow(left[column]);
        scaleRow(right[column]);
        for (unsigned row = 0; row < k; ++row) {
            const uint8_t factor = left[row][column];
            if (row == column || factor == 0) {
                continue;
            }
            for (unsigned j = 0; j < k; ++j) {
                left[row][j] = static_cast<uint8_t>(left[row][j] ^ Multiply(left[column][j], factor));
            }
            for (unsigned j = 0; j < n; ++j) {
                right[row][j] = static_cast<uint8_t>(right[row][j] ^ Multiply(right[column][j], factor));
            }
        }
    }
    return right;
}

void FieldIsTheRfcs() {
    CHECK(AlphaPower(8) == 0x1D);  // x^8 = x^4 + x^3 + x^2 + 1
    for (unsigned value = 1; value < 256; ++value) {
        const auto element = static_cast<uint8_t>(value);
        CHECK(Multiply(element, Invert(element)) == 1);
        CHECK(Multiply(element, 2) ==
              static_cast<uint8_t>(value << 1 ^ (value & 0x80 ? kFieldPolynomial : 0)));
    }
}

void MatrixIsTheRfcs() {
    const ReedSolomon code(4, 6);
    const std::vector<uint8_t> first{64, 120, 54, 15};
    const std::vector<uint8_t> second{231, 210, 87, 99};
    CHECK(std::ranges::equal(code.Row(4), first));
    CHECK(std::ranges::equal(code.Row(5), second));
    for (const auto& [k, n] :
         {std::pair{1U, 1U}, {1U, 255U}, {7U, 20U}, {64U, 80U}, {200U, 255U}, {255U, 255U}}) {
        const ReedSolomon built(k, n);
        const Matrix book = GeneratorByTheBook(k, n);
        for (unsigned esi = k; esi < n; ++esi) {
            for (unsigned i = 0; i < k; ++i) {
                CHECK(built.Row(esi)[i] == book[i][esi]);
            }
        }
    }
}

struct Block {
    Symbols symbols;  // n, coded
    std::vector<const uint8_t*> source;
};

Block MakeBlock(const ReedSolomon& code, size_t bytes, std::mt19937& random) {
    Block block{Symbols(code.symbolCount(), std::vector<uint8_t>(bytes)), {}};
    std::vector<uint8_t*> repair;
    for (unsigned esi = 0; esi < code.symbolCount(); ++esi) {
        if (esi < code.sourceCount()) {
            std::ranges::generate(block.symbols[esi], [&] { return static_cast<uint8_t>(random()); });
            block.source.push_back(block.symbols[esi].data());
        } else {
            repair.push_back(block.symbols[esi].data());
        }
    }
    code.Encode(bytes, block.source.data(), repair.data());
    return block;
}

// Loses the symbols that `lost` names; true when all came back as they were.
bool Survives(const ReedSolomon& code, const Block& block, const std::vector<bool>& lost,
              Workspace& workspace) {
    const size_t bytes = block.symbols[0].size();
    std::vector<const uint8_t*> source = block.source;
    std::vector<RepairSymbol> repair;
    std::vector<unsigned> missing;
    for (unsigned esi = 0; esi < code.symbolCount(); ++esi) {
        if (esi >= code.sourceCount()) {
            if (!lost[esi]) {
                repair.push_back({esi, block.symbols[esi].data()});
            }
        } else if (lost[esi]) {
            source[esi] = nullptr;
            missing.push_back(esi);
        }
    }
    Symbols recovered(missing.size(), std::vector<uint8_t>(bytes));
    std::vector<uint8_t*> outputs;
    for (auto& symbol : recovered) {
        outputs.push_back(symbol.data());
    }
    if (!code.Recover(bytes, source.data(), repair, outputs.data(), workspace)) {
        return false;
    }
    for (size_t index = 0; index < missing.size(); ++index) {
        CHECK(recovered[index] == block.symbols[missing[index]]);
    }
    return true;
}

void EveryErasureOfASmallCode() {
    std::mt19937 random(5510);
    Workspace workspace;
    for (const auto& [k, n] : {std::pair{4U, 6U}, {1U, 4U}, {5U, 10U}, {8U, 12U}}) {
        const ReedSolomon code(k, n);
        const Block block = MakeBlock(code, 37, random);
        for (unsigned pattern = 0; pattern < 1U << n; ++pattern) {
            std::vector<bool> lost(n);
            unsigned lostSource = 0;
            unsigned keptRepair = 0;
            for (unsigned esi = 0; esi < n; ++esi) {
                lost[esi] = pattern >> esi & 1;
                lostSource += esi < k && lost[esi];
                keptRepair += esi >= k && !lost[esi];
            }
            CHECK(Survives(code, block, lost, workspace) == (lostSource <= keptRepair));
        }
    }
}

void RandomErasuresOfLargeCodes() {
    std::mt19937 random(42);
    Workspace workspace;
    ReedSolomonCache cache(3);
    for (int round = 0; round < 300; ++round) {
        const unsigned k = 1 + static_cast<unsigned>(random() % 254);
        const unsigned n = k + static_cast<unsigned>(random() % (256 - k));
        const auto code = cache.Get(k, n);
        const Block block = MakeBlock(*code, 1 + random() % 1500, random);
        std::vector<unsigned> order(n);
        std::iota(order.begin(), order.end(), 0U);
        std::ranges::shuffle(order, random);
        std::vector<bool> lost(n);
        for (unsigned index = 0; index < n - k; ++index) {
            lost[order[index]] = true;
        }
        CHECK(Survives(*code, block, lost, workspace));  // any k of n are enough: the code is MDS
    }
}

void MisuseIsRefused() {
    CHECK_THROWS(ReedSolomon(0, 4), std::invalid_argument);
    CHECK_THROWS(ReedSolomon(5, 4), std::invalid_argument);
    CHECK_THROWS(ReedSolomon(4, 256), std::invalid_argument);
    const ReedSolomon code(2, 4);
    CHECK_THROWS(code.Row(1), std::out_of_range);
    CHECK_THROWS(code.Row(4), std::out_of_range);
    // Repeated, foreign and null repair symbols are not counted.
    const std::vector<uint8_t> bytes(16);
    const uint8_t* source[2] = {nullptr, nullptr};
    std::vector<uint8_t> out(16);
    uint8_t* outputs[2] = {out.data(), out.data()};
    Workspace workspace;
    const std::vector<RepairSymbol> repair{
        {2, bytes.data()}, {2, bytes.data()}, {9, bytes.data()}, {1, bytes.data()}, {3, nullptr}};
    CHECK(!code.Recover(16, source, repair, outputs, workspace));
    CHECK(!code.Recover(0, source, repair, outputs, workspace));
}

void CacheIsBounded() {
    ReedSolomonCache cache(2);
    const auto first = cache.Get(3, 5);
    CHECK(cache.Get(3, 5) == first);
    cache.Get(4, 5);
    cache.Get(3, 5);
    cache.Get(5, 6);
    CHECK(cache.Get(3, 5) == first);  // used last, so kept
    const std::weak_ptr<const ReedSolomon> dropped = cache.Get(7, 9);
    cache.Get(8, 9);
    cache.Get(9, 10);
    CHECK(dropped.expired());
}

}  // namespace

int main() {
    FieldIsTheRfcs();
    MatrixIsTheRfcs();
    EveryErasureOfASmallCode();
    RandomErasuresOfLargeCodes();
    MisuseIsRefused();
    CacheIsBounded();
    return 0;
}
