import { BlockList, isIPv4 } from 'node:net';
import type { PlatformNetwork } from '@updraft/pods';

export const LOOPBACK = '127.0.0.1';

export type ClusterRanges = Pick<PlatformNetwork, 'gateway' | 'podCidr' | 'serviceCidr'>;

/** Nobody may take over what belongs to the host itself or to the cluster. */
export function mayBeExternal(address: string, { gateway, podCidr, serviceCidr }: ClusterRanges): boolean {
  if (!isIPv4(address) || address === gateway) return false;
  const reserved = new BlockList();
  for (const range of ['127.0.0.0/8', '0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', podCidr, serviceCidr]) {
    const [base = '', bits = ''] = range.split('/');
    reserved.addSubnet(base, Number(bits), 'ipv4');
  }
  return !reserved.check(address);
}
