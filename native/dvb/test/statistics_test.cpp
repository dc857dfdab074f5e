#include "dvb/src/statistics.hpp"

#include <linux/dvb/frontend.h>

#include <cmath>

#include "test/check.hpp"

namespace {

using streamverse::dvb::Measure;
using streamverse::dvb::RawStatistics;
using streamverse::dvb::Statistics;
using streamverse::dvb::StatisticsReader;
using Scale = Measure::Scale;

bool Near(const std::optional<double>& value, double expected) {
    return value && std::abs(*value - expected) < 1e-12;
}

void TellsPhysicalUnits() {
    StatisticsReader reader;
    const Statistics locked = reader.Read({.status = FE_HAS_SIGNAL | FE_HAS_CARRIER | FE_HAS_LOCK,
                                           .strength = {Scale::decibel, -51'300},
                                           .noise = {Scale::decibel, 12'450}});
    CHECK(locked.signal && locked.carrier && locked.locked && !locked.code && !locked.sync);
    CHECK(Near(locked.levelDbm, -51.3) && !locked.levelRatio);
    CHECK(Near(locked.cnrDb, 12.45) && !locked.cnrRatio);
    const Statistics scaled =
        reader.Read({.strength = {Scale::relative, 65'535}, .noise = {Scale::relative, 13'107}});
    CHECK(Near(scaled.levelRatio, 1) && Near(scaled.cnrRatio, 0.2) && !scaled.levelDbm && !scaled.cnrDb);
}

// What vidtv leaves there without a signal: a random number of 32 bits.
void LeavesRubbishOut() {
    StatisticsReader reader;
    const Statistics rubbish =
        reader.Read({.strength = {Scale::decibel, -1'947'483'648}, .noise = {Scale::decibel, 4'000'000'000}});
    CHECK(!rubbish.levelDbm && !rubbish.cnrDb);
    const Statistics none = reader.Read({});
    CHECK(!none.levelDbm && !none.levelRatio && !none.bitErrorRatio && !none.blockErrors);
}

RawStatistics Counted(int64_t errors, int64_t bits) {
    return {.postErrors = {Scale::counter, errors}, .postBits = {Scale::counter, bits}};
}

void CountsFromReadingToReading() {
    StatisticsReader reader;
    CHECK(Near(reader.Read(Counted(5, 1'000'000)).bitErrorRatio, 5e-6));
    CHECK(Near(reader.Read(Counted(8, 4'000'000)).bitErrorRatio, 1e-6));
    CHECK(Near(reader.Read(Counted(8, 5'000'000)).bitErrorRatio, 0));
    CHECK(!reader.Read(Counted(8, 5'000'000)).bitErrorRatio);
    // Counters that begin anew say nothing of the span between.
    CHECK(!reader.Read(Counted(0, 1'000)).bitErrorRatio);
    CHECK(Near(reader.Read(Counted(1, 2'000)).bitErrorRatio, 1e-3));
    CHECK(!reader.Read({}).bitErrorRatio);
}

void TellsBlocksSinceTuning() {
    StatisticsReader reader;
    const Statistics blocks =
        reader.Read({.blockErrors = {Scale::counter, 3}, .blocks = {Scale::counter, 300}});
    CHECK(blocks.blockErrors == 3 && blocks.blocks == 300 && Near(blocks.blockErrorRatio, 0.01));
}

}  // namespace

int main() {
    TellsPhysicalUnits();
    LeavesRubbishOut();
    CountsFromReadingToReading();
    TellsBlocksSinceTuning();
    return 0;
}
