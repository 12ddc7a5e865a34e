"""Who plays in the demo story: forty made-up firms and how they pay."""

from typing import NamedTuple

# Earliest and latest day of payment, counted from the due date.
PUNCTUAL, SLOW, LATE = (-6, 0), (2, 11), (12, 27)


class Firm(NamedTuple):
    name: str
    city: str
    country: str
    grade: str
    habit: tuple
    # Days since which nothing is paid any more: the age of the oldest overdue item today.
    silent: int = 0
    # What is special about the firm; see Story.
    trait: str = ""
    # Size of an invoice.
    size: int = 4000
    # Days between due dates.
    rhythm: int = 23


CAST = (
    # Good customers
    Firm("杭州绿谷茶业有限公司", "Hangzhou", "cn", "A", PUNCTUAL, size=6500),
    Firm("苏州云锦丝绸有限公司", "Suzhou", "cn", "A", PUNCTUAL, size=5200),
    Firm("Nordlicht Möbelwerke GmbH", "Bremen", "de", "A", PUNCTUAL, size=18000, trait="foreign"),
    Firm("Maple Harbour Foods Inc.", "Halifax", "ca", "A", PUNCTUAL, size=9800),
    Firm("青岛海晨食品有限公司", "Qingdao", "cn", "B", PUNCTUAL),
    Firm("Prairie Wind Tools LLC", "Omaha", "us", "B", PUNCTUAL, size=3100),
    Firm("Casa Azul Cerámica S.L.", "Valencia", "es", "B", PUNCTUAL, trait="foreign"),
    Firm("Tidewater Paper Co.", "Norfolk", "us", "A", PUNCTUAL, size=7600),
    Firm("宁波双帆物流有限公司", "Ningbo", "cn", "B", PUNCTUAL, size=2400),
    # Slow, but they pay
    Firm("Green Fern Organics Ltd", "Nelson", "nz", "B", SLOW),
    Firm("成都锦里食品有限公司", "Chengdu", "cn", "C", SLOW, size=2800),
    Firm("Blue Kettle Trading Co.", "Singapore", "sg", "C", SLOW, size=5600),
    Firm("Atelier des Lilas SARL", "Lyon", "fr", "B", SLOW, trait="foreign"),
    Firm("厦门白鹭工艺品有限公司", "Xiamen", "cn", "C", SLOW),
    Firm("Copper Creek Hardware", "Boise", "us", "C", SLOW, size=1900),
    Firm("Lotus Pond Ceramics Ltd", "Hanoi", "vn", "C", LATE, size=3300),
    Firm("武汉长桥机械有限公司", "Wuhan", "cn", "C", LATE, size=8800),
    Firm("Sierra Vista Packaging", "Tucson", "us", "C", LATE, size=2600),
    # Late at present, each at another point of the ladder
    Firm("广州南岭照明有限公司", "Guangzhou", "cn", "C", SLOW, 2, size=3900),
    Firm("Harbor Light Books", "Portland", "us", "B", SLOW, 6),
    Firm("天津北辰五金有限公司", "Tianjin", "cn", "C", SLOW, 8, size=5100),
    Firm("Windmill Bakery Supplies B.V.", "Utrecht", "nl", "C", SLOW, 10, "no_email"),
    Firm("Three Rivers Textiles", "Pittsburgh", "us", "D", SLOW, 5, "bounced", size=4700),
    Firm("南京梧桐纸业有限公司", "Nanjing", "cn", "C", SLOW, 13, "on_account"),
    Firm("Evergreen Shelf Systems", "Tacoma", "us", "C", SLOW, 17, size=6200),
    Firm("Oakfield Garden Centres Ltd", "Leeds", "gb", "C", LATE, 19, "credit_note"),
    Firm("西安古道皮具有限公司", "Xi'an", "cn", "C", LATE, 22, "part_payment", size=7400),
    Firm("Kestrel Outdoor Gear", "Denver", "us", "U", SLOW, 25, "no_followup"),
    Firm("Silk Route Carpets Co.", "Dubai", "ae", "C", LATE, 32, size=11500),
    Firm("Valle Verde Vinos S.A.", "Mendoza", "ar", "B", LATE, 47, "foreign", size=9300),
    Firm("长沙橘洲电子有限公司", "Changsha", "cn", "C", SLOW, 36, "instalments", size=15000),
    Firm("Redwood Play Furniture", "Eureka", "us", "C", LATE, 40, "paused"),
    Firm("深圳浅湾科技有限公司", "Shenzhen", "cn", "C", LATE, 49, size=21000),
    Firm("Granite Peak Stoneworks", "Bozeman", "us", "D", SLOW, 27, size=8200),
    # The final demand comes in the next days, and with it the credit hold.
    Firm("Old Mill Linen Co.", "Belfast", "gb", "C", LATE, 57, size=13200),
    Firm("大连望海船具有限公司", "Dalian", "cn", "C", LATE, 68, size=17500),
    Firm("Sunset Boulevard Signs", "San Diego", "us", "E", SLOW, 43, size=3600),
    Firm("Pampas Leather Export S.A.", "Rosario", "ar", "D", SLOW, 92, size=14800),
    Firm("昆明云岭花卉有限公司", "Kunming", "cn", "E", SLOW, 118, "legal", size=26000),
    Firm("Lakeshore Novelties", "Toledo", "us", "E", SLOW, 134, "write_off", size=1400),
)
