#include "link/src/damage.hpp"

#include "link/src/ip_datagram.hpp"

namespace streamverse::link {

static_assert(static_cast<size_t>(Damage::kIpMalformed) + 1 == kDamageNames.size());

void ReceiveContext::Deliver(const Origin& origin, Bytes datagram) {
    const auto outline = OutlineOf(datagram);
    if (!outline.has_value()) {
        Report(origin, Damage::kIpMalformed);
        return;
    }
    ++totals.datagrams;
    totals.ipBytes += outline->bytes;
    listener.OnDatagram(origin, datagram.first(outline->bytes));
}

}  // namespace streamverse::link
