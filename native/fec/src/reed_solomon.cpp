#include "fec/src/reed_solomon.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "fec/src/galois.hpp"

namespace streamverse::fec {
namespace {

constexpr size_t kTableBytes = 32;  // ISA-L's expanded form of one coefficient

// Expanding a coefficient by gf_vect_mul_init costs more than copying its 32 bytes. Newer ISA-L lays tables out otherwise
// where the CPU has GFNI, so copying is used only where it gives what ec_init_tables gives.
class ExpandedCoefficients {
   public:
    ExpandedCoefficients() {
        for (unsigned value = 0; value < 256; ++value) {
            auto coefficient = static_cast<unsigned char>(value);
            ec_init_tables(1, 1, &coefficient, tables_[value].data());
        }
        std::array<unsigned char, 6> probe{1, 2, 77, 128, 200, 255};
        std::array<unsigned char, 6 * kTableBytes> expected{};
        ec_init_tables(3, 2, probe.data(), expected.data());
        std::array<unsigned char, 6 * kTableBytes> copied{};
        Copy(probe, copied.data());
        copyable_ = copied == expected;
    }

    void Expand(unsigned columns, unsigned rows, std::span<uint8_t> coefficients, uint8_t* tables) const {
        if (copyable_) {
            Copy(coefficients, tables);
        } else {
            ec_init_tables(static_cast<int>(columns), static_cast<int>(rows), coefficients.data(), tables);
        }
    }

   private:
    void Copy(std::span<const uint8_t> coefficients, uint8_t* tables) const {
        for (const uint8_t coefficient : coefficients) {
            std::memcpy(tables, tables_[coefficient].data(), kTableBytes);
            tables += kTableBytes;
        }
    }

    std::array<std::array<unsigned char, kTableBytes>, 256> tables_{};
    bool copyable_ = false;
};

// A constant table of the machine, not state: made once, read by all threads.
const ExpandedCoefficients& Expanded() {
    static const ExpandedCoefficients expanded;
    return expanded;
}

void MultiplyInto(size_t bytes, unsigned columns, unsigned rows, uint8_t* tables, uint8_t** inputs, uint8_t* const* outputs) {
    ec_encode_data(static_cast<int>(bytes), static_cast<int>(columns), static_cast<int>(rows), tables, inputs,
                   const_cast<uint8_t**>(outputs));
}

void AddScaled(std::span<uint8_t> target, std::span<const uint8_t> row, uint8_t factor) {
    for (size_t index = 0; index < target.size(); ++index) {
        target[index] = static_cast<uint8_t>(target[index] ^ Multiply(row[index], factor));
    }
}

// Gauss-Jordan on [square | identity], both size x size, rows side by side. Any square submatrix of the repair rows of
// an MDS code is regular, so false means a caller's mistake; it is answered, not asserted, as input decides the rows.
bool InvertBeside(uint8_t* augmented, size_t size) {
    const size_t width = 2 * size;
    for (size_t column = 0; column < size; ++column) {
        size_t pivot = column;
        while (pivot < size && augmented[pivot * width + column] == 0) {
            ++pivot;
        }
        if (pivot == size) {
            return false;
        }
        std::span<uint8_t> row{augmented + column * width, width};
        if (pivot != column) {
            std::swap_ranges(row.begin(), row.end(), augmented + pivot * width);
        }
        const uint8_t scale = Invert(row[column]);
        for (uint8_t& value : row) {
            value = Multiply(value, scale);
        }
        for (size_t other = 0; other < size; ++other) {
            const uint8_t factor = augmented[other * width + column];
            if (other != column && factor != 0) {
                AddScaled({augmented + other * width, width}, row, factor);
            }
        }
    }
    return true;
}

}  // namespace

ReedSolomon::ReedSolomon(unsigned sourceCount, unsigned symbolCount)
    : sourceCount_(sourceCount), symbolCount_(symbolCount) {
    if (sourceCount < 1 || sourceCount > symbolCount || symbolCount > kSymbolsMax) {
        throw std::invalid_argument("Reed-Solomon over GF(2^8) needs 1 <= k <= n <= 255");
    }
    // inverse(V(k,k)) * V(k,n) interpolates: entry (i, j) is the i-th Lagrange basis polynomial over the points
    // alpha^0..alpha^(k-1), taken at alpha^j. That needs k*n products where an inversion would need k^3.
    const unsigned rows = symbolCount - sourceCount;
    matrix_.resize(static_cast<size_t>(rows) * sourceCount);
    std::array<uint8_t, kSymbolsMax> weight{};
    for (unsigned i = 0; i < sourceCount; ++i) {
        uint8_t product = 1;
        for (unsigned other = 0; other < sourceCount; ++other) {
            if (other != i) {
                product = Multiply(product, static_cast<uint8_t>(AlphaPower(i) ^ AlphaPower(other)));
            }
        }
        weight[i] = Invert(product);
    }
    for (unsigned row = 0; row < rows; ++row) {
        const uint8_t point = AlphaPower(sourceCount + row);
        uint8_t all = 1;
        for (unsigned i = 0; i < sourceCount; ++i) {
            all = Multiply(all, static_cast<uint8_t>(point ^ AlphaPower(i)));
        }
        for (unsigned i = 0; i < sourceCount; ++i) {
            const uint8_t others = Multiply(all, Invert(static_cast<uint8_t>(point ^ AlphaPower(i))));
            matrix_[static_cast<size_t>(row) * sourceCount + i] = Multiply(others, weight[i]);
        }
    }
}

std::span<const uint8_t> ReedSolomon::Row(unsigned esi) const {
    if (esi < sourceCount_ || esi >= symbolCount_) {
        throw std::out_of_range("no such repair symbol");
    }
    return std::span<const uint8_t>{matrix_}.subspan(static_cast<size_t>(esi - sourceCount_) * sourceCount_, sourceCount_);
}

void ReedSolomon::Encode(size_t symbolBytes, const uint8_t* const* source, uint8_t* const* repair) const {
    const unsigned rows = symbolCount_ - sourceCount_;
    if (rows == 0 || symbolBytes == 0) {
        return;
    }
    if (symbolBytes > INT_MAX) {
        throw std::invalid_argument("a symbol is too large");
    }
    std::call_once(encodeTablesOnce_, [&] {
        std::vector<uint8_t> coefficients = matrix_;
        encodeTables_.resize(coefficients.size() * kTableBytes);
        Expanded().Expand(sourceCount_, rows, coefficients, encodeTables_.data());
    });
    // ISA-L takes no const, but reads only.
    MultiplyInto(symbolBytes, sourceCount_, rows, encodeTables_.data(), const_cast<uint8_t**>(source), repair);
}

// Leaves in workspace.coefficients the rows that give the missing symbols from workspace.inputs' order: the present
// source symbols, each in its own column, and the chosen repair symbols in the columns of the missing ones.
bool ReedSolomon::Solve(std::span<const RepairSymbol> repair, Workspace& workspace) const {
    const size_t lost = workspace.missing.size();
    std::vector<uint8_t>& square = workspace.product;
    square.assign(lost * lost * 2, 0);
    // Each chosen row r says: sum over missing G[r][m] s_m = p_r + sum over present G[r][i] s_i.
    for (size_t row = 0; row < lost; ++row) {
        const auto coefficients = Row(repair[row].esi);
        for (size_t column = 0; column < lost; ++column) {
            square[row * 2 * lost + column] = coefficients[workspace.missing[column]];
        }
        square[row * 2 * lost + lost + row] = 1;
    }
    if (!InvertBeside(square.data(), lost)) {
        return false;
    }
    // inverse * G over all columns by the same SIMD kernel that codes data: rows of G are its "symbols" of k bytes.
    std::vector<uint8_t> inverse(lost * lost);
    workspace.rows.clear();
    for (size_t row = 0; row < lost; ++row) {
        std::memcpy(inverse.data() + row * lost, square.data() + row * 2 * lost + lost, lost);
        workspace.rows.push_back(const_cast<uint8_t*>(Row(repair[row].esi).data()));
    }
    workspace.coefficients.resize(lost * sourceCount_);
    for (size_t row = 0; row < lost; ++row) {
        workspace.rows.push_back(workspace.coefficients.data() + row * sourceCount_);
    }
    workspace.tables.resize(lost * sourceCount_ * kTableBytes);
    Expanded().Expand(static_cast<unsigned>(lost), static_cast<unsigned>(lost), inverse, workspace.tables.data());
    MultiplyInto(sourceCount_, static_cast<unsigned>(lost), static_cast<unsigned>(lost), workspace.tables.data(),
                 workspace.rows.data(), workspace.rows.data() + lost);
    for (size_t row = 0; row < lost; ++row) {
        for (size_t column = 0; column < lost; ++column) {
            workspace.coefficients[row * sourceCount_ + workspace.missing[column]] = inverse[row * lost + column];
        }
    }
    return true;
}

bool ReedSolomon::Recover(size_t symbolBytes, const uint8_t* const* source, std::span<const RepairSymbol> repair,
                          uint8_t* const* recovered, Workspace& workspace) const {
    workspace.missing.clear();
    workspace.inputs.resize(sourceCount_);
    for (unsigned esi = 0; esi < sourceCount_; ++esi) {
        workspace.inputs[esi] = const_cast<uint8_t*>(source[esi]);
        if (source[esi] == nullptr) {
            workspace.missing.push_back(esi);
        }
    }
    const size_t lost = workspace.missing.size();
    if (lost == 0) {
        return true;
    }
    if (symbolBytes == 0 || symbolBytes > INT_MAX) {
        return false;
    }
    std::array<RepairSymbol, kSymbolsMax> chosen{};
    std::bitset<kSymbolsMax + 1> seen;
    size_t count = 0;
    for (const RepairSymbol& symbol : repair) {
        if (count == lost) {
            break;
        }
        if (symbol.esi >= sourceCount_ && symbol.esi < symbolCount_ && symbol.bytes != nullptr && !seen[symbol.esi]) {
            seen.set(symbol.esi);
            chosen[count++] = symbol;
        }
    }
    if (count < lost || !Solve({chosen.data(), lost}, workspace)) {
        return false;
    }
    for (size_t index = 0; index < lost; ++index) {
        workspace.inputs[workspace.missing[index]] = const_cast<uint8_t*>(chosen[index].bytes);
    }
    workspace.tables.resize(lost * sourceCount_ * kTableBytes);
    Expanded().Expand(sourceCount_, static_cast<unsigned>(lost), workspace.coefficients, workspace.tables.data());
    MultiplyInto(symbolBytes, sourceCount_, static_cast<unsigned>(lost), workspace.tables.data(), workspace.inputs.data(),
                 recovered);
    return true;
}

std::shared_ptr<const ReedSolomon> ReedSolomonCache::Get(unsigned sourceCount, unsigned symbolCount) {
    const auto found = std::find_if(codes_.begin(), codes_.end(), [&](const auto& code) {
        return code->sourceCount() == sourceCount && code->symbolCount() == symbolCount;
    });
    if (found != codes_.end()) {
        codes_.splice(codes_.begin(), codes_, found);
        return codes_.front();
    }
    codes_.push_front(std::make_shared<const ReedSolomon>(sourceCount, symbolCount));
    if (codes_.size() > codesMax_) {
        codes_.pop_back();
    }
    return codes_.front();
}

}  // namespace streamverse::fec
