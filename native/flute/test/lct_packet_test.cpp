#include "flute/src/lct_packet.hpp"

#include <initializer_list>

#include "flute/src/transmission_information.hpp"
#include "flute/test/packet_builder.hpp"
#include "test/check.hpp"

using namespace streamverse::flute;
using namespace streamverse::flute::test;

namespace {

void ReadsEveryWidth() {
    for (const bool half : {false, true}) {
        for (unsigned toiWords = 0; toiWords <= 3; ++toiWords) {
            for (const bool tsiWord : {false, true}) {
                for (unsigned cci = 1; cci <= 4; ++cci) {
                    PacketShape shape{.tsi = half || tsiWord ? 7U : 0U,
                                      .toi = half || toiWords > 0 ? 9U : 0U,
                                      .halfWord = half,
                                      .toiWords = toiWords,
                                      .tsiWord = tsiWord,
                                      .cciWords = cci};
                    for (const uint8_t flags : std::initializer_list<uint8_t>{0, 1, 2, 4, 8, 15}) {
                        shape.flags = flags;
                        LctPacket packet;
                        const Octets bytes = BuildPacket(shape, 0x00020003, {1, 2, 3});
                        // LCT headers are whole words: a lone half word needs its partner.
                        CHECK(bytes.size() % 4 == 3 && ParseLct(bytes, packet));
                        CHECK(packet.tsi == shape.tsi && packet.toi.low == shape.toi && packet.toi.high == 0);
                        CHECK(packet.hasToi == (half || toiWords > 0));
                        CHECK(packet.closeObject == ((flags & 1) != 0) &&
                              packet.closeSession == ((flags & 2) != 0));
                        CHECK(packet.payload.size() == 7 && packet.payload[6] == 3);
                        for (size_t size = 0; size < bytes.size() - 7; ++size) {
                            CHECK(!ParseLct(Bytes(bytes).first(size), packet));
                        }
                    }
                }
            }
        }
    }
}

void ReadsToisOf112Bits() {
    const auto toi = ParseToi("5192296858534827628530496329220095");
    CHECK(toi && toi->high == 0xFFFFFFFFFFFF && toi->low == ~uint64_t{0});
    CHECK(ToDecimal(*toi) == "5192296858534827628530496329220095");
    CHECK(!ParseToi("5192296858534827628530496329220096") && !ParseToi("") && !ParseToi("-1") &&
          !ParseToi("1 "));
    PacketShape shape;
    shape.toiWords = 3;
    Octets bytes = BuildPacket(shape, 0, {1});
    for (size_t at = 10; at < 24; ++at) {
        bytes[at] = 0xFF;
    }
    LctPacket packet;
    CHECK(ParseLct(bytes, packet) && packet.toi == *toi);
}

void SkipsUnknownExtensions() {
    PacketShape shape;
    shape.toi = 5;
    shape.extensions = Join({{1, 2, 0, 0, 9, 9, 9, 9},
                             {200, 1, 2, 3},
                             ExtFdt(0xABCDE, 2),
                             ExtCenc(3),
                             ExtFti(0, 0x123456789ABC, 1400, 64),
                             {2, 3, 0xC0, 0, 0x83, 0xAA, 0x7E, 0x81, 0x80, 0, 0, 0}});
    LctPacket packet;
    const Octets datagram = BuildPacket(shape, 0, {1});  // its extensions stay where they are
    CHECK(ParseLct(datagram, packet));
    CHECK(packet.fdt && packet.fdt->instanceId == 0xABCDE && packet.fdt->version == 2);
    CHECK(packet.contentEncoding == 3 && packet.fti.size() == 14);
    CHECK(packet.senderTimeMs == 1500);
    const auto information = ParseFti(0, packet.fti);
    CHECK(information && information->transferLength == 0x123456789ABC && information->symbolBytes == 1400);
    CHECK(!ParseFti(5, packet.fti) && !ParseFti(129, packet.fti));
}

void RefusesWhatNeverEnds() {
    LctPacket packet;
    PacketShape shape;
    shape.toi = 5;
    shape.extensions = {1, 0, 0, 0};
    CHECK(!ParseLct(BuildPacket(shape, 0, {1}), packet));
    shape.extensions = {1, 9, 0, 0};
    CHECK(!ParseLct(BuildPacket(shape, 0, {1}), packet));
    shape.extensions.clear();
    Octets version = BuildPacket(shape, 0, {1});
    version[0] = 0x20;
    CHECK(!ParseLct(version, packet));
    version[0] = 0x10;
    version[2] = 1;
    CHECK(!ParseLct(version, packet));
}

void PartitionsAsRfc5052() {
    // T = 11 symbols in blocks of at most 4: three blocks of 4, 4 and 3.
    const auto partition = Partition::Of({0, 1050, 100, 4});
    CHECK(partition && partition->symbols() == 11 && partition->blocks() == 3);
    CHECK(partition->BlockSymbols(0) == 4 && partition->BlockSymbols(1) == 4 &&
          partition->BlockSymbols(2) == 3);
    CHECK(partition->FirstSymbol(2) == 8 && partition->BlockOf(7) == 1 && partition->BlockOf(8) == 2);
    CHECK(partition->SymbolLength(10) == 50 && partition->SymbolLength(9) == 100);
    const auto huge = Partition::Of({0, uint64_t{4} << 30, 60000, 65535});
    CHECK(huge && huge->symbols() == 71583);
    CHECK(!Partition::Of({0, uint64_t{1} << 48, 65535, 65535}) && !Partition::Of({0, 100, 0, 1}));
    CHECK(!Partition::Of({0, 100, 1, 0}) && !Partition::Of({5, 100, 1, 256}) &&
          !Partition::Of({6, 100, 1, 1}));
    CHECK(!Partition::Of({0, (uint64_t{1} << 48) - 1, 1, 65535}) && !Partition::Of({0, 70000, 1, 1}));
    CHECK(Partition::Of({0, 0, 100, 4})->symbols() == 0);
}

}  // namespace

int main() {
    ReadsEveryWidth();
    ReadsToisOf112Bits();
    SkipsUnknownExtensions();
    RefusesWhatNeverEnds();
    PartitionsAsRfc5052();
}
