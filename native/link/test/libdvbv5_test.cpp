// Our tables as libdvbv5 reads them, the library of dvbv5-scan and of Linux's tuners.
extern "C" {
#include <libdvbv5/desc_network_name.h>
#include <libdvbv5/desc_sat.h>
#include <libdvbv5/desc_service.h>
#include <libdvbv5/descriptors.h>
#include <libdvbv5/dvb-fe.h>
#include <libdvbv5/nit.h>
#include <libdvbv5/pat.h>
#include <libdvbv5/pmt.h>
#include <libdvbv5/sdt.h>
}

#include <cstring>
#include <memory>
#include <string_view>

#include "link/src/program_tables.hpp"
#include "link/test/link_fixture.hpp"
#include "test/check.hpp"

namespace {

using namespace streamverse::link;
using namespace streamverse::link::test;

using Parameters = std::unique_ptr<dvb_v5_fe_parms, void (*)(dvb_v5_fe_parms*)>;

// The body, as the library's own reader of sections hands it over: without the CRC.
template <typename Parsed, typename Parse>
Parsed* Read(dvb_v5_fe_parms* parameters, const Table& table, Parse parse) {
    Parsed* parsed = nullptr;
    CHECK(parse(parameters, table.section.data(), static_cast<ssize_t>(table.section.size()) - DVB_CRC_SIZE,
                &parsed) > 0);
    CHECK(parsed != nullptr);
    return parsed;
}

template <typename Body>
const Body* Find(const dvb_desc* first, uint8_t tag) {
    for (const dvb_desc* each = first; each != nullptr; each = each->next) {
        if (each->type == tag) {
            return reinterpret_cast<const Body*>(each);
        }
    }
    return nullptr;
}

void CheckPrograms(dvb_v5_fe_parms* parameters, const TransportStream& stream) {
    auto* const pat = Read<dvb_table_pat>(parameters, MakePat(stream), dvb_table_pat_init);
    CHECK(pat->header.id == 1001 && pat->programs == 3);
    const dvb_table_pat_program* program = pat->program;
    CHECK(program->service_id == 0 && program->pid == kNitPid);
    program = program->next;
    CHECK(program->service_id == 5001 && program->pid == 256);
    dvb_table_pat_free(pat);
    auto* const pmt =
        Read<dvb_table_pmt>(parameters, MakePmt(stream.services[0], Encapsulation::kMpe), dvb_table_pmt_init);
    CHECK(pmt->header.id == 5001 && pmt->pcr_pid == 0x1FFF);
    CHECK(pmt->stream->type == kMpeStreamType && pmt->stream->elementary_pid == 4097);
    CHECK(pmt->stream->next == nullptr);
    dvb_table_pmt_free(pmt);
}

void CheckNetwork(dvb_v5_fe_parms* parameters, const TransportStream& stream) {
    auto* const nit = Read<dvb_table_nit>(parameters, MakeNit(stream), dvb_table_nit_init);
    CHECK(nit->header.id == 7);
    const auto* const name = Find<dvb_desc_network_name>(nit->descriptor, network_name_descriptor);
    CHECK(name != nullptr && std::string_view(name->network_name) == "StreamVerse");
    CHECK(nit->transport->transport_id == 1001 && nit->transport->network_id == 9);
    const auto* const sat =
        Find<dvb_desc_sat>(nit->transport->descriptor, satellite_delivery_system_descriptor);
    CHECK(sat != nullptr);
    CHECK(sat->frequency == 11727500 && sat->symbol_rate == 27500000 && sat->orbit == 192);
    CHECK(sat->west_east == 1 && sat->polarization == 1 && sat->modulation_system == 1 && sat->fec == 3);
    dvb_table_nit_free(nit);
}

void CheckServices(dvb_v5_fe_parms* parameters, const TransportStream& stream) {
    auto* const sdt =
        Read<dvb_table_sdt>(parameters, MakeSdt(stream, Encapsulation::kMpe), dvb_table_sdt_init);
    CHECK(sdt->header.id == 1001 && sdt->network_id == 9);
    CHECK(sdt->service->service_id == 5001 && sdt->service->running_status == 4);
    const auto* const service = Find<dvb_desc_service>(sdt->service->descriptor, service_descriptor);
    CHECK(service != nullptr && service->service_type == 0x0C);
    CHECK(std::string_view(service->provider) == "Edge" && std::string_view(service->name) == "Kan\u00e1l");
    CHECK(sdt->service->next->service_id == 5002 && sdt->service->next->next == nullptr);
    dvb_table_sdt_free(sdt);
}

}  // namespace

int main() {
    const Parameters parameters(dvb_fe_dummy(), dvb_fe_close);
    CHECK(parameters != nullptr);
    const TransportStream stream = *TransportOptions(Encapsulation::kMpe).transport;
    CheckPrograms(parameters.get(), stream);
    CheckNetwork(parameters.get(), stream);
    CheckServices(parameters.get(), stream);
}
