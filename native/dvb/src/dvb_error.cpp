#include "dvb/src/dvb_error.hpp"

#include <cerrno>
#include <system_error>

namespace streamverse::dvb {
namespace {

const char* CodeOf(int error) {
    switch (error) {
        case ENOENT:
            return "NATIVE_DVB_ABSENT";
        case ENODEV:
        case ENXIO:
            return "NATIVE_DVB_GONE";
        case EBUSY:
            return "NATIVE_DVB_BUSY";
        case EACCES:
        case EPERM:
            return "NATIVE_DVB_DENIED";
        case EINVAL:
        case EOPNOTSUPP:
        case ENOTTY:
            return "NATIVE_DVB_REFUSED";
        default:
            return "NATIVE_DVB_IO";
    }
}

}  // namespace

DvbError SystemFault(const std::string& what, int error) {
    return {CodeOf(error), what + ": " + std::generic_category().message(error)};
}

}  // namespace streamverse::dvb
