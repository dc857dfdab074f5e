#include "modem/src/soapy_library.hpp"

#include <dlfcn.h>

#include <string>

#include "modem/src/sample_sink.hpp"

namespace streamverse::modem {

namespace {

constexpr const char* kName = "libSoapySDR.so.0.8";  // SOAPY_SDR_ABI_VERSION of the headers

template <typename Function>
void Find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr) {
        throw OutputError(std::string(kName) + " has no " + name);
    }
}

SoapyLibrary Load() {
    void* library = ::dlopen(kName, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        throw OutputError("SoapySDR is not installed (Debian: libsoapysdr0.8)");
    }
    SoapyLibrary soapy;
    Find(library, "SoapySDRDevice_makeStrArgs", soapy.make);
    Find(library, "SoapySDRDevice_unmake", soapy.unmake);
    Find(library, "SoapySDRDevice_lastError", soapy.lastError);
    Find(library, "SoapySDRDevice_setAntenna", soapy.setAntenna);
    Find(library, "SoapySDRDevice_setSampleRate", soapy.setSampleRate);
    Find(library, "SoapySDRDevice_setFrequency", soapy.setFrequency);
    Find(library, "SoapySDRDevice_setGain", soapy.setGain);
    Find(library, "SoapySDRDevice_setupStream", soapy.setupStream);
    Find(library, "SoapySDRDevice_activateStream", soapy.activateStream);
    Find(library, "SoapySDRDevice_deactivateStream", soapy.deactivateStream);
    Find(library, "SoapySDRDevice_closeStream", soapy.closeStream);
    Find(library, "SoapySDRDevice_writeStream", soapy.writeStream);
    Find(library, "SoapySDRDevice_readStreamStatus", soapy.readStreamStatus);
    return soapy;
}

}  // namespace

const SoapyLibrary& LoadSoapy() {
    static const SoapyLibrary kSoapy = Load();
    return kSoapy;
}

}  // namespace streamverse::modem
