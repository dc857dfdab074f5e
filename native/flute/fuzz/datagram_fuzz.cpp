// A sequence of datagrams, each after its 16-bit length, through a whole receiver core: LCT, FDT, symbols,
// repair. The clock goes on with every datagram, and tight limits make every bound reachable.
#include <cstdint>
#include <span>

#include "flute/test/core_fixture.hpp"

using namespace streamverse::flute;
using namespace streamverse::flute::test;

namespace {

ReceiveLimits TightLimits() {
    ReceiveLimits limits;
    limits.objectBytesMax = 1 << 20;
    limits.objectsOpenMax = 8;
    limits.openBytesMax = 2 << 20;
    limits.unknownBytesMax = 64 << 10;
    limits.fdtBytesMax = 64 << 10;
    limits.repairSymbolBytesMax = 128 << 10;
    limits.knownObjectsMax = 64;
    limits.describedBytesMax = 16 << 10;
    limits.sessionsPerEndpointMax = 4;
    limits.fdtIdleMs = 2000;
    return limits;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    CoreFixture fixture(TightLimits());
    std::span<const uint8_t> rest(data, size);
    unsigned count = 0;
    while (rest.size() > 2) {
        const size_t length = std::min<size_t>(static_cast<size_t>(rest[0]) << 8 | rest[1], rest.size() - 2);
        fixture.core->OnDatagram(*fixture.group, rest.subspan(2, length), fixture.now);
        rest = rest.subspan(2 + length);
        if (++count % 3 == 0) {
            fixture.Settle();
        }
        if (count % 7 == 0) {
            fixture.Wait(1000);
        }
        if (count % 11 == 0) {
            fixture.now.unixMs += 5'000'000'000 * (count % 2 == 0 ? 1 : -1);  // the clock is set
            ReceiverCore::Unlisten(*fixture.group);
            static_cast<void>(fixture.core->Listen("239.1.1.1", 5001, {count % 3}, 700));
        }
    }
    fixture.Settle();
    for (const AppearedEvent& appeared : fixture.All<AppearedEvent>()) {
        static_cast<void>(fixture.views.Missing(appeared.id));
        fixture.core->Write(appeared.id, appeared.id * 50, std::span(data, size), fixture.now);
        if (appeared.id % 3 == 0) {
            fixture.core->Forget("239.1.1.1", 5001, appeared.session.tsi, appeared.file->toi);
        }
    }
    fixture.Settle();
    fixture.Wait(4000);
    return 0;
}
