dist_man8_MANS = doc/shuttled.8
