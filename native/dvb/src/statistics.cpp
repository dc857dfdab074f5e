#include "dvb/src/statistics.hpp"

#include <linux/dvb/frontend.h>

#include <algorithm>

namespace streamverse::dvb {
namespace {

using Scale = Measure::Scale;

// Beyond this a driver tells of no cable or LNB that there is: some leave rubbish where they have no signal.
constexpr double kLevelDbmMin = -150;
constexpr double kLevelDbmMax = 50;
constexpr double kCnrDbMin = -20;
constexpr double kCnrDbMax = 60;

std::optional<double> Decibels(const Measure& measure, double least, double most) {
    const double value = static_cast<double>(measure.value) / 1000;
    const bool plausible = measure.scale == Scale::decibel && value >= least && value <= most;
    return plausible ? std::optional(value) : std::nullopt;
}

std::optional<double> Relative(const Measure& measure) {
    if (measure.scale != Scale::relative) {
        return std::nullopt;
    }
    return std::clamp(static_cast<double>(measure.value & 0xFFFF) / 65535, 0.0, 1.0);
}

std::optional<uint64_t> Counter(const Measure& measure) {
    return measure.scale == Scale::counter ? std::optional(static_cast<uint64_t>(measure.value))
                                           : std::nullopt;
}

}  // namespace

std::optional<double> StatisticsReader::Ratio(const Measure& errors, const Measure& all, Counted& before) {
    const std::optional<uint64_t> errorsNow = Counter(errors);
    const std::optional<uint64_t> allNow = Counter(all);
    if (!errorsNow || !allNow) {
        before = {};
        return std::nullopt;
    }
    const Counted last = before;
    before = {.errors = *errorsNow, .all = *allNow};
    if (*allNow <= last.all || *errorsNow < last.errors) {
        return std::nullopt;
    }
    const double ratio =
        static_cast<double>(*errorsNow - last.errors) / static_cast<double>(*allNow - last.all);
    return std::min(ratio, 1.0);
}

Statistics StatisticsReader::Read(const RawStatistics& raw) {
    return {.signal = (raw.status & FE_HAS_SIGNAL) != 0,
            .carrier = (raw.status & FE_HAS_CARRIER) != 0,
            .code = (raw.status & FE_HAS_VITERBI) != 0,
            .sync = (raw.status & FE_HAS_SYNC) != 0,
            .locked = (raw.status & FE_HAS_LOCK) != 0,
            .levelDbm = Decibels(raw.strength, kLevelDbmMin, kLevelDbmMax),
            .levelRatio = Relative(raw.strength),
            .cnrDb = Decibels(raw.noise, kCnrDbMin, kCnrDbMax),
            .cnrRatio = Relative(raw.noise),
            .preBitErrorRatio = Ratio(raw.preErrors, raw.preBits, pre_),
            .bitErrorRatio = Ratio(raw.postErrors, raw.postBits, post_),
            .blockErrorRatio = Ratio(raw.blockErrors, raw.blocks, block_),
            .blockErrors = Counter(raw.blockErrors),
            .blocks = Counter(raw.blocks)};
}

}  // namespace streamverse::dvb
