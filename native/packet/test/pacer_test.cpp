#include "packet/src/pacer.hpp"

#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "test/check.hpp"

namespace {

using streamverse::packet::Pacer;

constexpr int64_t kSecond = 1'000'000'000;

// Ten simulated seconds of full backlog, woken late by up to `lateNs`: the rate error as a ratio.
double ErrorOver(Pacer& pacer, size_t batch, int64_t lateNs) {
    int64_t now = 12345;
    pacer.Restart(now);
    const int64_t begin = now;
    double bytes = 0;
    while (now - begin < 10 * kSecond) {
        const int64_t ready = pacer.ReadyNs(batch);
        if (ready > now) {
            now = ready + (lateNs == 0 ? 0 : std::rand() % lateNs);
        }
        pacer.Spend(batch, now);
        bytes += static_cast<double>(batch);
    }
    const double allowed = static_cast<double>(pacer.rateBps()) / 8 * static_cast<double>(now - begin) / 1e9;
    return bytes / allowed - 1;
}

void RateIsExact() {
    for (const uint64_t rate : {1'000'000ULL, 61'300'000ULL, 999'999'937ULL, 10'000'000'000ULL}) {
        for (const size_t batch : {1428U, 15'708U, 65'535U}) {
            Pacer punctual(rate, 65'536);
            CHECK(std::abs(ErrorOver(punctual, batch, 0)) <
                  1e-4 + static_cast<double>(batch) * 8 / static_cast<double>(rate) / 10);
            Pacer late(rate, 262'144);
            const int64_t absorbed = static_cast<int64_t>((262'144.0 - static_cast<double>(batch)) * 8e9 /
                                                          static_cast<double>(rate));
            CHECK(std::abs(ErrorOver(late, batch, absorbed / 2 + 1)) <
                  1e-3 + 262'144.0 * 8 / static_cast<double>(rate) / 10);
        }
    }
}

// However late the wake-ups, no window sees more than rate * t + burst.
void BurstIsBounded() {
    constexpr size_t kBurst = 20'000;
    constexpr size_t kBatch = 1500;
    Pacer pacer(8'000'000, kBurst);  // 1 byte per microsecond
    int64_t now = 0;
    pacer.Restart(now);
    CHECK(pacer.ReadyNs(kBatch) > now);  // a new bucket is empty
    now += 10 * kSecond;                 // a very late wake-up
    size_t atOnce = 0;
    while (pacer.ReadyNs(kBatch) <= now) {
        pacer.Spend(kBatch, now);
        atOnce += kBatch;
        CHECK(atOnce <= kBurst);
    }
    CHECK(atOnce > kBurst - kBatch);
}

void NewRateHoldsAtOnce() {
    Pacer pacer(8'000'000, 20'000);
    pacer.Restart(0);
    CHECK(pacer.ReadyNs(1000) == 1'000'000);
    pacer.SetRate(80'000'000);
    CHECK(pacer.ReadyNs(1000) == 100'000);
    CHECK(pacer.BatchBytes(2'000'000) == 20'000);
    pacer.SetRate(8000);
    CHECK(pacer.BatchBytes(2'000'000) == 2);
    // A packet larger than the bucket still goes, after its own time.
    CHECK(pacer.ReadyNs(30'000) == 30 * kSecond);
}

}  // namespace

int main() {
    RateIsExact();
    BurstIsBounded();
    NewRateHoldsAtOnce();
    return 0;
}
