import type { ConditionReason, Finding } from '../../model/condition.ts';
import type { CertificateFault, Verdict } from '../../model/discovery.ts';

const REASONS: Readonly<Record<CertificateFault, ConditionReason<'Trusted'>>> = {
  'self-signed': 'SelfSigned',
  'unknown authority': 'UnknownAuthority',
  expired: 'CertificateExpired',
  'not valid yet': 'CertificateNotYetValid',
  'for another host': 'OtherHostName',
  invalid: 'CertificateInvalid',
};

const WHY: Readonly<Record<CertificateFault, string>> = {
  'self-signed': 'its certificate is self-signed',
  'unknown authority': 'its certificate is from an authority that is unknown here',
  expired: 'its certificate expired',
  'not valid yet': 'its certificate is not valid yet',
  'for another host': 'its certificate is for another host name than the one that the agent uses',
  invalid: 'its certificate is invalid',
};

/** Where an agent takes authorities from. */
const AGENT = "HolmesGPT takes it, in base64, from the variable CERTIFICATE or its chart's value certificate";

/** What is wrong with a backend's certificate, and what to do. `undefined` if nothing is, or it is unknown. */
export function certificateProblem({
  certificate,
}: Pick<Verdict, 'certificate'>): { readonly why: string; readonly fix: string } | undefined {
  if (certificate === undefined || certificate === 'trusted') return undefined;
  const isUnknown = certificate === 'self-signed' || certificate === 'unknown authority';
  return {
    why: WHY[certificate],
    fix: isUnknown
      ? `give its authority to this program, with the setting certificates, and to the agent: ${AGENT}`
      : 'replace its certificate',
  };
}

/** The condition `Trusted`. Only backends with TLS have it, and only if probes reach them directly. */
export function trusted({
  presented,
  ...verdict
}: Pick<Verdict, 'certificate' | 'trustedWith' | 'presented'>): Finding<'Trusted'> | undefined {
  const finding = serverTrusted(verdict);
  return finding === undefined || presented === undefined
    ? finding
    : {
        ...finding,
        message: `${finding.message}; the server asked for a client certificate and got that in ${presented}, so the agent may need one, too`,
      };
}

function serverTrusted({
  certificate,
  trustedWith: file,
}: Pick<Verdict, 'certificate' | 'trustedWith'>): Finding<'Trusted'> | undefined {
  if (certificate === undefined) return undefined;
  const { why, fix } = certificateProblem({ certificate }) ?? {};
  if (certificate !== 'trusted')
    return { type: 'Trusted', status: 'False', reason: REASONS[certificate], message: `${why}; ${fix}` };
  return file === undefined
    ? { type: 'Trusted', status: 'True', reason: 'CertificateTrusted', message: 'its certificate is valid' }
    : {
        type: 'Trusted',
        status: 'True',
        reason: 'TrustedWithConfiguredCA',
        message: `its certificate is valid with the CA of ${file}; the agent needs it too: ${AGENT}`,
      };
}
