#include "interceptor/decide/errnos.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace misrule::interceptor {
namespace {

using Named = std::pair<std::string_view, int>;

// Sorted by name; aliases (EWOULDBLOCK, EDEADLOCK) stand beside the names they mean.
// clang-format off
constexpr std::array kErrnos = {
    Named{"E2BIG", E2BIG}, Named{"EACCES", EACCES}, Named{"EADDRINUSE", EADDRINUSE},
    Named{"EADDRNOTAVAIL", EADDRNOTAVAIL}, Named{"EADV", EADV}, Named{"EAFNOSUPPORT", EAFNOSUPPORT},
    Named{"EAGAIN", EAGAIN}, Named{"EALREADY", EALREADY}, Named{"EBADE", EBADE},
    Named{"EBADF", EBADF}, Named{"EBADFD", EBADFD}, Named{"EBADMSG", EBADMSG},
    Named{"EBADR", EBADR}, Named{"EBADRQC", EBADRQC}, Named{"EBADSLT", EBADSLT},
    Named{"EBFONT", EBFONT}, Named{"EBUSY", EBUSY}, Named{"ECANCELED", ECANCELED},
    Named{"ECHILD", ECHILD}, Named{"ECHRNG", ECHRNG}, Named{"ECOMM", ECOMM},
    Named{"ECONNABORTED", ECONNABORTED}, Named{"ECONNREFUSED", ECONNREFUSED},
    Named{"ECONNRESET", ECONNRESET}, Named{"EDEADLOCK", EDEADLOCK},
    Named{"EDESTADDRREQ", EDESTADDRREQ}, Named{"EDOM", EDOM}, Named{"EDOTDOT", EDOTDOT},
    Named{"EDQUOT", EDQUOT}, Named{"EEXIST", EEXIST}, Named{"EFAULT", EFAULT},
    Named{"EFBIG", EFBIG}, Named{"EHOSTDOWN", EHOSTDOWN}, Named{"EHOSTUNREACH", EHOSTUNREACH},
    Named{"EIDRM", EIDRM}, Named{"EILSEQ", EILSEQ}, Named{"EINPROGRESS", EINPROGRESS},
    Named{"EINTR", EINTR}, Named{"EINVAL", EINVAL}, Named{"EIO", EIO}, Named{"EISCONN", EISCONN},
    Named{"EISDIR", EISDIR}, Named{"EISNAM", EISNAM}, Named{"EKEYEXPIRED", EKEYEXPIRED},
    Named{"EKEYREJECTED", EKEYREJECTED}, Named{"EKEYREVOKED", EKEYREVOKED}, Named{"EL2HLT", EL2HLT},
    Named{"EL2NSYNC", EL2NSYNC}, Named{"EL3HLT", EL3HLT}, Named{"EL3RST", EL3RST},
    Named{"ELIBACC", ELIBACC}, Named{"ELIBBAD", ELIBBAD}, Named{"ELIBEXEC", ELIBEXEC},
    Named{"ELIBMAX", ELIBMAX}, Named{"ELIBSCN", ELIBSCN}, Named{"ELNRNG", ELNRNG},
    Named{"ELOOP", ELOOP}, Named{"EMEDIUMTYPE", EMEDIUMTYPE}, Named{"EMFILE", EMFILE},
    Named{"EMLINK", EMLINK}, Named{"EMSGSIZE", EMSGSIZE}, Named{"EMULTIHOP", EMULTIHOP},
    Named{"ENAMETOOLONG", ENAMETOOLONG}, Named{"ENAVAIL", ENAVAIL}, Named{"ENETDOWN", ENETDOWN},
    Named{"ENETRESET", ENETRESET}, Named{"ENETUNREACH", ENETUNREACH}, Named{"ENFILE", ENFILE},
    Named{"ENOANO", ENOANO}, Named{"ENOBUFS", ENOBUFS}, Named{"ENOCSI", ENOCSI},
    Named{"ENODATA", ENODATA}, Named{"ENODEV", ENODEV}, Named{"ENOENT", ENOENT},
    Named{"ENOEXEC", ENOEXEC}, Named{"ENOKEY", ENOKEY}, Named{"ENOLCK", ENOLCK},
    Named{"ENOLINK", ENOLINK}, Named{"ENOMEDIUM", ENOMEDIUM}, Named{"ENOMEM", ENOMEM},
    Named{"ENOMSG", ENOMSG}, Named{"ENONET", ENONET}, Named{"ENOPKG", ENOPKG},
    Named{"ENOPROTOOPT", ENOPROTOOPT}, Named{"ENOSPC", ENOSPC}, Named{"ENOSR", ENOSR},
    Named{"ENOSTR", ENOSTR}, Named{"ENOSYS", ENOSYS}, Named{"ENOTBLK", ENOTBLK},
    Named{"ENOTCONN", ENOTCONN}, Named{"ENOTDIR", ENOTDIR}, Named{"ENOTEMPTY", ENOTEMPTY},
    Named{"ENOTNAM", ENOTNAM}, Named{"ENOTRECOVERABLE", ENOTRECOVERABLE},
    Named{"ENOTSOCK", ENOTSOCK}, Named{"ENOTSUP", ENOTSUP}, Named{"ENOTTY", ENOTTY},
    Named{"ENOTUNIQ", ENOTUNIQ}, Named{"ENXIO", ENXIO}, Named{"EOPNOTSUPP", EOPNOTSUPP},
    Named{"EOVERFLOW", EOVERFLOW}, Named{"EOWNERDEAD", EOWNERDEAD}, Named{"EPERM", EPERM},
    Named{"EPFNOSUPPORT", EPFNOSUPPORT}, Named{"EPIPE", EPIPE}, Named{"EPROTO", EPROTO},
    Named{"EPROTONOSUPPORT", EPROTONOSUPPORT}, Named{"EPROTOTYPE", EPROTOTYPE},
    Named{"ERANGE", ERANGE}, Named{"EREMCHG", EREMCHG}, Named{"EREMOTE", EREMOTE},
    Named{"EREMOTEIO", EREMOTEIO}, Named{"ERESTART", ERESTART}, Named{"ERFKILL", ERFKILL},
    Named{"EROFS", EROFS}, Named{"ESHUTDOWN", ESHUTDOWN}, Named{"ESOCKTNOSUPPORT", ESOCKTNOSUPPORT},
    Named{"ESPIPE", ESPIPE}, Named{"ESRCH", ESRCH}, Named{"ESRMNT", ESRMNT},
    Named{"ESTALE", ESTALE}, Named{"ESTRPIPE", ESTRPIPE}, Named{"ETIME", ETIME},
    Named{"ETIMEDOUT", ETIMEDOUT}, Named{"ETOOMANYREFS", ETOOMANYREFS}, Named{"ETXTBSY", ETXTBSY},
    Named{"EUCLEAN", EUCLEAN}, Named{"EUNATCH", EUNATCH}, Named{"EUSERS", EUSERS},
    Named{"EWOULDBLOCK", EWOULDBLOCK}, Named{"EXDEV", EXDEV}, Named{"EXFULL", EXFULL},
};
// clang-format on

}  // namespace

int errno_from_name(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kErrnos, name, {}, &Named::first);
  return found != kErrnos.end() && found->first == name ? found->second : 0;
}

const std::vector<std::string>& errno_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out;
    out.reserve(kErrnos.size());
    for (const auto& [name, number] : kErrnos) out.emplace_back(name);
    return out;
  }();
  return names;
}

}  // namespace misrule::interceptor
