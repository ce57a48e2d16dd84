import { describe, expect, it } from '@jest/globals';
import { isPublic, literalAddress } from '../../../../src/callbacks/targets/address.js';
import { AllowList, callbackAllowRule } from '../../../../src/callbacks/targets/allow-list.js';
import { urlRule } from '../../../../src/validation/url.rule.js';

describe('an address', () => {
  it.each(
    [
      ['93.184.216.34', '8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '192.169.0.1', '100.63.0.1', '100.128.0.1'],
      ['2606:4700::1111', '2a00:1450:4001:80e::200e', '::ffff:8.8.8.8', '64:ff9b::808:808'],
    ].flat(),
  )('%s is public', (address) => expect(isPublic(address)).toBe(true));

  it.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fd00::1', 'fc00::1', '::ffff:10.0.0.1'],
    ['link-local, and metadata', '169.254.169.254', '169.254.170.2', 'fe80::1', '::ffff:169.254.169.254'],
    ["clouds' own", '100.100.100.200', '192.0.0.192', '168.63.129.16', '::ffff:168.63.129.16', 'fd00:ec2::254'],
    ['shared', '100.64.0.1', '100.127.255.255'],
    ['multicast or broadcast', '224.0.0.1', '239.255.255.250', '255.255.255.255', 'ff02::1'],
    ['reserved or for documents', '240.0.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1'],
    [
      'carries IPv4',
      '64:ff9b::7f00:1',
      '64:ff9b:1::7f00:1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
      '::127.0.0.1',
      '::7f00:1',
    ],
    ['site-local, discarded, or outside of the global range', 'fec0::1', '100::1', '5f00::1', '4000::1'],
    ['behind NAT64', '64:ff9b::a00:1', '64:ff9b::a9fe:a9fe', '64:ff9b::a83f:8110', '64:ff9b:0:0:0:1:808:808'],
    ['none at all', '', 'localhost', '127.1', '0x7f000001', '2130706433', 'fe80::1%eth0'],
  ])('%s is not public', (_, ...addresses) => {
    expect(addresses.filter((address) => isPublic(address))).toEqual([]);
  });

  it.each([
    ['http://2130706433/', '127.0.0.1'],
    ['http://0x7f.1/', '127.0.0.1'],
    ['http://0177.0.0.1/', '127.0.0.1'],
    ['http://127.1/', '127.0.0.1'],
    ['http://①②⑦.0.0.1/', '127.0.0.1'],
    ['http://[::ffff:127.0.0.1]/', '::ffff:7f00:1'],
    ['http://[0:0:0:0:0:0:0:1]/', '::1'],
    ['http://localhost/', undefined],
    ['http://127.0.0.1.nip.io/', undefined],
  ])('in %s is %s, however it is written', (url, address) => {
    expect(literalAddress(new URL(url))).toBe(address);
  });
});

describe('callbackAllow', () => {
  it.each([
    [['https://hooks.example.com', 'http://127.0.0.1:9000', 'http://[::1]:9000', 'https://a.example:8443']],
    [['http://jobs.internal 10.0.0.0/8', 'http://localhost:9000 127.0.0.0/8 ::1/128']],
    [[]],
  ])('may be %j', (allow) => expect(callbackAllowRule(allow)).toBeUndefined());

  it.each([
    ['https://hooks.example.com', 'must be a list'],
    [['https://hooks.example.com/'], 'is not an origin'],
    [['https://hooks.example.com/path'], 'is not an origin'],
    [['hooks.example.com'], 'is not an origin'],
    [['ftp://hooks.example.com'], 'is not an origin'],
    [['https://user@hooks.example.com'], 'is not an origin'],
    [['*'], 'is not an origin'],
    [['https://*.example.com'], '"https://*.example.com" has a wildcard; list each origin separately'],
    [
      ['http://jobs.internal 10.0.0.0/8', 'https://a.example', 'http://JOBS.internal:80 fd00::/8'],
      'names http://jobs.internal a second time; put all its networks into one entry',
    ],
    [[7], 'is not a text'],
    [['http://jobs.internal 10.0.0.0'], 'has 10.0.0.0, which is not a network'],
    [['http://jobs.internal internal'], 'has internal, which is not a network'],
    [['http://10.0.0.1 10.0.0.0/8'], 'is an address already'],
  ])('may not be %j', (allow, why) => expect(callbackAllowRule(allow)?.msg).toContain(why));

  it('permits the public internet, and of all other networks those beside the origin', () => {
    const list = new AllowList(['https://hooks.example.com', 'http://jobs.internal 10.0.0.0/8 fd00::/8']);
    const permitted = (origin: string, address: string) => list.find(origin)!.permits(address);
    expect(permitted('https://hooks.example.com', '8.8.8.8')).toBe(true);
    expect(permitted('https://hooks.example.com', '10.0.0.1')).toBe(false);
    expect(permitted('http://jobs.internal', '10.0.0.1')).toBe(true);
    expect(permitted('http://jobs.internal', '::ffff:10.0.0.1')).toBe(true);
    expect(permitted('http://jobs.internal', 'fd12::1')).toBe(true);
    expect(permitted('http://jobs.internal', '169.254.169.254')).toBe(false);
    expect(permitted('http://jobs.internal', '127.0.0.1')).toBe(false);
    expect(list.find('http://hooks.example.com')).toBeUndefined();
    expect(list.find('https://hooks.example.com:8443')).toBeUndefined();
  });
});

describe("a task's own callbackUrl", () => {
  it.each([
    [7, 'must be a string'],
    ['', 'must be an http:// or https:// URL'],
    ['/done', 'must be an http:// or https:// URL'],
    ['//evil.example/done', 'must be an http:// or https:// URL'],
    ['ftp://a.example/', 'must be an http:// or https:// URL'],
    ['file:///etc/passwd', 'must be an http:// or https:// URL'],
    ['gopher://a.example/', 'must be an http:// or https:// URL'],
    ['data:text/plain,x', 'must be an http:// or https:// URL'],
    ['https://user@a.example/', 'must not carry a user or a password'],
    ['https://:password@a.example/', 'must not carry a user or a password'],
    [`https://a.example/${'x'.repeat(2048)}`, 'must be at most 2048 characters'],
    [`https://a.example/${'漢'.repeat(1000)}`, 'must be at most 8000 characters once it is percent-encoded'],
  ])('may not be %j', (url, msg) => expect(urlRule(url)?.msg).toBe(msg));
});
